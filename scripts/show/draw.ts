import colors from 'picocolors';
import type { StartInput } from '../../pipelines/contracts/run.ts';
import { OUTCOME_SIGNS, runBody } from '../run-report.ts';
import { bar, counted, dot, links, thousands } from '../terminal.ts';
import { howFar } from './estimate.ts';
import { howLong, moment, momentAfter } from './moments.ts';
import { clip, widthOf } from './screen.ts';
import type { Retry, RunView, StageView } from './view.ts';

const TRACK_WIDTH = 20;
/** Beside the other columns of a stage, so that 80 columns hold it. */
const STAGE_TRACK_WIDTH = 12;
const SHARE_WIDTH = 8;
/** A fault with a stack in it is not read to its end. */
const MOST_LINES = 8;

const SIGNS: Record<RunView['state'], string> = {
  ...OUTCOME_SIGNS,
  running: colors.cyan('▸ running'),
  lost: colors.red('✗ lost'),
};

interface Drawn {
  /** Where it is found, by what. */
  places: Record<string, string>;
  nowMs: number;
  /** Columns of the terminal; without one nothing is broken and nothing cut. */
  width?: number;
}

/** All that a person reads of a run, as lines. */
export function drawRun(view: RunView, { places, nowMs, width = Number.POSITIVE_INFINITY }: Drawn): string[] {
  const { summary, isOver, reasons } = view;
  const found = summary ? runBody(summary) : isOver ? reasons.map((reason) => `  ${dot} ${reason}`) : [];
  return [
    title(view),
    ...about(view, nowMs),
    ...attention(view, { nowMs, width }),
    '',
    ...stageLines(view).map((line) => clip(line, width)),
    ...wholeLine(view),
    ...(found.length > 0 ? ['', ...found.flatMap((text) => text.split('\n'))] : []),
    '',
    ...links(places),
  ];
}

function title({ state, pipeline, asOf, runId, version, workflow }: RunView): string {
  const when = asOf ? ` as of ${asOf}` : '';
  const again = version !== null && version > 1 ? `, version ${version}` : '';
  return `${SIGNS[state]}  ${colors.bold(pipeline ?? workflow.id)}${when}${again} ${colors.dim(runId ?? '')}`.trimEnd();
}

function about(
  { kind, input, workflow, startedAt, endedAt, elapsedMs, isOver }: RunView,
  nowMs: number,
): string[] {
  const asked = askedFor(input);
  return [
    `${kind}${whenOf({ startedAt, endedAt, elapsedMs, isOver }, nowMs)}`,
    ...(asked ? [`asked for ${asked}`] : []),
    colors.dim(`workflow ${workflow.id}`),
  ];
}

function whenOf(
  { startedAt, endedAt, elapsedMs, isOver }: Pick<RunView, 'startedAt' | 'endedAt' | 'elapsedMs' | 'isOver'>,
  nowMs: number,
): string {
  if (startedAt === null) return '';
  const began = moment(startedAt);
  if (!isOver) return `, started ${began}, ${howLong(nowMs - Date.parse(startedAt))} ago`;
  if (endedAt === null || elapsedMs === null) return `, started ${began}`;
  return `, ${began} to ${momentAfter(endedAt, startedAt)}, ${howLong(elapsedMs)}`;
}

/** What the title does not say. */
function askedFor(input: StartInput | null): string {
  const { pipeline: _, asOf: __, ...asked } = input ?? {};
  return Object.entries(asked)
    .map(([field, value]) => `${field} ${value}`)
    .join(', ');
}

/** What a person should look at first. */
function attention(view: RunView, { nowMs, width }: { nowMs: number; width: number }): string[] {
  const { waits, retries, notes, beside, isCancelRequested } = view;
  const [warning, wait] = [colors.yellow('!'), colors.yellow('⏸')];
  const cancel = 'a cancel was asked for: it ends what it is at and cleans up';
  const lines = [
    ...waits.flatMap(({ says, until, commands }) => [
      ...sentence(wait, `${says}${until === null ? '' : ` (until ${moment(until)})`}`, width),
      ...commands.map((command) => `    ${colors.bold(command)}`),
    ]),
    ...retries.flatMap((retry) => sentence(warning, retrySays(retry, nowMs), width)),
    ...(isCancelRequested ? sentence(warning, cancel, width) : []),
    ...(beside !== null && waits.length === 0 ? sentence(colors.cyan('▸'), beside, width) : []),
    ...notes.flatMap((note) => sentence(warning, note, width)),
  ];
  return lines.length > 0 ? ['', ...lines] : [];
}

function retrySays({ what, attempt, of, fault, nextAt }: Retry, nowMs: number): string {
  const next = nextAt === null ? 'is going on' : nextIn(nextAt, nowMs);
  return `${what}, attempt ${attempt}${of > 0 ? ` of ${of}` : ''} ${next}, after: ${fault}`;
}

/** A sign and a sentence, broken between words, as far as a person reads on. */
function sentence(sign: string, text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)!;
    if (last !== '' && widthOf(last) + 1 + widthOf(word) > width - 3) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.slice(0, MOST_LINES).map((line, i) => `${i === 0 ? sign : ' '} ${line}`);
}

function nextIn(nextAt: string, nowMs: number): string {
  const ms = Date.parse(nextAt) - nowMs;
  return ms > 0 ? `begins in ${howLong(ms)}` : 'begins now';
}

const STAGE_SIGNS: Record<StageView['state'], string> = {
  done: colors.green('✓'),
  running: colors.cyan('▸'),
  ahead: colors.dim('○'),
  broke: colors.red('✗'),
  never: colors.dim('–'),
};

function stageLines(view: RunView): string[] {
  const { stages } = view;
  const times = stages.map(({ ms }) => (ms === null ? '' : howLong(ms)));
  const shares = stages.map(({ share }) => (share === null ? '' : `${Math.round(share * 100)} %`));
  const rows = stages.map(rowsOf);
  const largest = Math.max(...stages.map(({ share }) => share ?? 0));
  const widest = (cells: readonly string[], least = 0) =>
    Math.max(least, ...cells.map(({ length }) => length));
  const names = widest(stages.map(({ stage }) => stage));
  return stages.map((stage, i) => {
    const drawn = stage.share === null ? '' : bar(largest === 0 ? 0 : stage.share / largest, SHARE_WIDTH);
    const cells = [
      `${STAGE_SIGNS[stage.state]} ${stage.stage.padEnd(names)}`,
      times[i]!.padStart(widest(times)),
      `${drawn.padEnd(SHARE_WIDTH)} ${shares[i]!.padStart(widest(shares))}`,
      rows[i]!.padStart(widest(rows)),
      detailOf(stage, view),
    ];
    return cells.join('  ').trimEnd();
  });
}

/** What its words say is not said twice. */
function rowsOf({ rows, says }: StageView): string {
  const text = rows === null ? '' : thousands(rows);
  return says?.includes(text) ? '' : text;
}

function detailOf({ state, says, attempts }: StageView, { now }: RunView): string {
  const again = attempts > 1 ? [`attempt ${attempts}`] : [];
  if (state !== 'running' || now === null) return [...(says ? [says] : []), ...again].join(', ');
  const { done, of, stageLeftMs, usualMs, elapsedMs } = now;
  const left = stageLeftMs === null ? [] : [`${howLong(stageLeftMs)} left`];
  const long =
    stageLeftMs === null && usualMs !== null && elapsedMs > usualMs
      ? [`longer than its usual ${howLong(usualMs)}`]
      : [];
  const far = of > 0 ? [howFar(now)] : [];
  const share = of > 0 ? done / of : stageLeftMs === null ? null : elapsedMs / (elapsedMs + stageLeftMs);
  const words = [...far, ...left, ...long, ...again].join(', ');
  return share === null ? words : `${track(share, STAGE_TRACK_WIDTH)} ${words}`;
}

/** How far along a way of fixed length. */
function track(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `${colors.cyan('█'.repeat(filled))}${colors.dim('░'.repeat(width - filled))}`;
}

const BASES = {
  pace: () => 'own pace',
  past: pastRuns,
  both: (runs: number) => `own pace, ${pastRuns(runs)}`,
};

function pastRuns(runs: number): string {
  return counted(runs, 'past run');
}

function wholeLine({ leftMs, basis, stages, usualRuns, isOver, state }: RunView): string[] {
  if (isOver || state !== 'running' || leftMs === null || basis === null) return [];
  const spentMs = stages.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
  const share = spentMs + leftMs === 0 ? 0 : spentMs / (spentMs + leftMs);
  const percent = Math.round(share * 100);
  return [
    '',
    `${track(share, TRACK_WIDTH)} ${percent} %, about ${howLong(leftMs)} left (${BASES[basis](usualRuns)})`,
  ];
}
