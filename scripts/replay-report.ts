import colors from 'picocolors';
import type { ReplayedOne } from './replay-command.ts';
import { counted, thousands } from './terminal.ts';

/** What came of one history. */
export function replayLine({ name, workflow, events, fault, event }: ReplayedOne): string {
  const sign = fault ? colors.red('✗') : colors.green('✓');
  const type = workflow ? `  ${workflow.type}` : '';
  const line = `${sign} ${name}${type}  ${counted(events, 'event')}`;
  if (!fault) return line;
  const where = event === null ? '' : `at event ${event}: `;
  return [
    line,
    ...(workflow ? [`    ${colors.dim('workflow')} ${workflow.id}, run ${workflow.runId}`] : []),
    `    ${where}${fault}`,
  ].join('\n');
}

/** What is written as JSON. */
export function replayFigures(replayed: readonly ReplayedOne[]) {
  return {
    replayed: replayed.length,
    broken: replayed.filter(({ fault }) => fault !== null).length,
    histories: replayed,
  };
}

/**
 * The end of it, in words.
 *
 * @param asked.isRunningAsked nothing that runs is an answer, too
 */
export function replayReport(
  replayed: readonly ReplayedOne[],
  { isRunningAsked }: { isRunningAsked: boolean },
): { isSound: boolean; text: string } {
  const broken = replayed.filter(({ fault }) => fault !== null);
  const running = replayed.filter(({ source }) => source === 'running');
  const histories = replayed.length === 1 ? '1 history' : `${thousands(replayed.length)} histories`;
  const lines = [`${histories}, ${thousands(replayed.length - broken.length)} replay`];
  if (isRunningAsked) {
    const stuck = running.filter(({ fault }) => fault !== null).length;
    lines.push(
      running.length === 0
        ? 'nothing of ours is running on the server: nothing has to resume'
        : `running: ${byType(running)}; ${stuck === 0 ? "all resume under today's code" : `${stuck} would not resume under today's code`}`,
    );
  }
  if (broken.length > 0) lines.push(wayOut(broken.some(({ source }) => source === 'running')));
  return { isSound: broken.length === 0, text: lines.join('\n') };
}

function byType(running: readonly ReplayedOne[]): string {
  const counts = new Map<string, number>();
  for (const { workflow } of running) {
    const type = workflow?.type ?? 'unknown';
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return [...counts].map(([type, count]) => `${count} ${type}`).join(', ');
}

function wayOut(isRunning: boolean): string {
  const guard = 'guard the change with patched(), so that what began before goes the old way';
  return isRunning
    ? `REPLAY_BROKEN: do not deploy this code over them: ${guard}; or leave workers of the old version running until they have ended`
    : `REPLAY_BROKEN: ${guard}, or take the change back`;
}
