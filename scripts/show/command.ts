import { resolve } from 'node:path';
import { Command } from 'commander';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { type Config, readConfig } from '../config.ts';
import { checkFolder } from '../output-file.ts';

interface Given {
  run: string;
  pipeline?: string;
  follow: boolean;
  json: string | undefined;
}

const REDRAW_MS = 500;
/** Longer than a question to a run takes that has no worker to answer it. */
const SILENT_AFTER_MS = 15_000;

/** `strata show`: all that is known of a run, and with `--follow` how it goes on. Starts PostgreSQL at most. */
export function showCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('show')
    .description('shows a run: its stages, how far it is, what it waits for, what came of it')
    .argument('<run>', 'id of a run or its beginning, a workflow id, or latest')
    .option('--pipeline <name>', 'pipeline whose latest run is meant')
    .option('--follow', 'go on showing it until it has ended or is held')
    .option('--json <file>', 'write what is shown to this file, as JSON')
    .addHelpText(
      'after',
      '\nWith --follow it ends as the run does: 0 published or held, 2 rejected, 1 failed. Ctrl-C ends the following; the run goes on.' +
        '\n\nExample:\n  npm run strata -- show latest --pipeline online-retail --follow',
    )
    .allowExcessArguments(false)
    .action(
      async (
        run: string,
        { pipeline, follow = false, json }: { pipeline?: string; follow?: boolean; json?: string },
      ) => {
        const config = readConfig();
        const file = json && resolve(config.invokedFrom, json);
        await checkFolder('--json', file);
        const given = { run, ...(pipeline && { pipeline }), follow, json: file };
        const code = await show(config, given, signal);
        if (follow) setExitCode(code);
      },
    );
}

async function show(config: Config, given: Given, signal: AbortSignal): Promise<number> {
  const { createRunReader } = await import('./reader.ts');
  const { withSight } = await import('./sight.ts');
  const { findTarget } = await import('./target.ts');
  const { quietLog } = await import('./quiet-log.ts');
  const { EXIT_CODES } = await import('../run-report.ts');
  const { outcomeOf } = await import('./follow.ts');
  const { writeJson } = await import('../output-file.ts');
  const { log, divert } = quietLog(config.logLevel);
  return withSight({ config, log, signal }, async (sight) => {
    const reader = createRunReader(sight, await findTarget(sight, given));
    const shown = await showing({ config, sight, reader, signal, divert, follow: given.follow });
    await writeJson('--json', given.json, shown);
    return EXIT_CODES[outcomeOf(shown.run)];
  });
}

interface Showing {
  config: Config;
  sight: import('./sight.ts').Sight;
  reader: import('./reader.ts').RunReader;
  signal: AbortSignal;
  divert: (print: ((text: string) => void) | null) => void;
  follow: boolean;
}

async function showing({ config, sight, reader, signal, divert, follow }: Showing) {
  const { drawRun } = await import('./draw.ts');
  const { followView } = await import('./follow.ts');
  const { openScreen } = await import('./screen.ts');
  const { createTeller } = await import('./lines.ts');
  const { placesOf } = await import('./places.ts');
  const { viewOf } = await import('./view.ts');
  const draw = (facts: Facts, nowMs: number, more: string[] = []) => {
    const view = viewOf({ ...facts, notes: [...facts.notes, ...more] }, nowMs);
    return drawRun(view, { places: placesOf(facts, config, sight), nowMs });
  };
  let facts = await reader.read();
  let run = viewOf(facts, Date.now());
  if (follow && !run.isOver && run.state !== 'held') {
    requireTemporal(sight, run);
    const screen = process.stdout.isTTY ? openScreen(process.stdout) : null;
    const teller = createTeller((line) => console.log(line));
    let lookedAt = performance.now();
    const redraw = () => {
      const silentMs = performance.now() - lookedAt;
      const silence =
        silentMs > SILENT_AFTER_MS ? [`Temporal has not answered for ${Math.round(silentMs / 1000)} s`] : [];
      screen?.draw(draw(facts, Date.now(), silence));
    };
    const timer = screen && setInterval(redraw, REDRAW_MS);
    if (screen) divert(screen.print);
    try {
      run = await followView({
        ...{ sight, reader, first: facts, signal },
        onLook(seen) {
          facts = seen;
          lookedAt = performance.now();
          if (screen) redraw();
          else teller.tell(viewOf(seen, Date.now()), Date.now());
        },
      });
    } finally {
      if (timer) clearInterval(timer);
      divert(null);
      screen?.end();
    }
    facts = await reader.read();
    run = viewOf(facts, Date.now());
    if (!screen) console.log('');
  }
  console.log(draw(facts, Date.now()).join('\n'));
  return { run, places: placesOf(facts, config, sight) };
}

type Facts = import('./facts.ts').RunFacts;

function requireTemporal(
  { temporal, notes }: import('./sight.ts').Sight,
  { runId, workflow }: { runId: string | null; workflow: { id: string } },
): void {
  if (temporal !== null) return;
  const why = notes.length > 0 ? notes.join('; ') : 'no Temporal server of this home is running';
  throw new PipelineError(
    'TEMPORAL_UNREACHABLE',
    `${runId ?? workflow.id} has not ended, and to follow it needs Temporal: ${why}; npm start brings it back, and the run goes on`,
  );
}
