import { availableParallelism } from 'node:os';
import { createKernelPool } from '../numeric/kernels/pool.ts';
import { changingShop } from './bases/changing-shop.ts';
import { crowd } from './bases/crowd.ts';
import { keepFigures, tableRow } from './figures.ts';
import {
  CAUSES,
  type MonthOfMoves,
  type Simulated,
  type SimulationOptions,
  simulate,
} from './identity-months.ts';
import { EVENT_KINDS, type IdentityScore } from './identity-score.ts';
import { benchCommand, count, countFrom } from './options.ts';

interface Options extends Omit<SimulationOptions, 'seed'> {
  seeds: number;
  crowd: boolean;
  from: number;
  json?: string;
}

/**
 * Whether identities last: shops that change by plan for two years, a run a month through the stages from features to
 * movements. Everything is drawn from the seed.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const pool = createKernelPool({ threads: availableParallelism() });
  try {
    const found: Simulated[] = [];
    const shopOf = options.crowd ? crowd : changingShop;
    for (let i = 0; i < options.seeds; i++)
      found.push(await simulate(pool, shopOf, { ...options, seed: options.from + i }));
    const moves = found.flatMap((one) => one.moves);
    process.stdout.write(`${reportEvents(found.map(({ score }) => score))}\n\n${reportMoves(moves)}\n`);
    await keepFigures(options.json, { options, found });
  } finally {
    await pool.close();
  }
}

const WIDTHS = [24, 9, 9, 9, 9];

function reportEvents(scores: readonly IdentityScore[]): string {
  const lines = [tableRow(['planted', 'count', 'right', 'wrong', 'right %'], WIDTHS)];
  let [all, right] = [0, 0];
  for (const kind of EVENT_KINDS) {
    const planted = scores.reduce((sum, { events }) => sum + events[kind].planted, 0);
    const own = scores.reduce((sum, { events }) => sum + events[kind].right, 0);
    lines.push(rowOf(kind, planted, own));
    all += planted;
    right += own;
  }
  lines.push(rowOf('all events', all, right));
  const quiet = scores.reduce((sum, score) => sum + score.quiet.segments, 0);
  lines.push(
    rowOf(
      'nothing (a segment-month)',
      quiet,
      scores.reduce((sum, score) => sum + score.quiet.right, 0),
    ),
  );
  const faults = scores.flatMap(({ events, quiet }, i) => [
    ...EVENT_KINDS.flatMap((kind) => events[kind].wrong.map((fault) => `shop ${i + 1}, ${kind}, ${fault}`)),
    ...quiet.wrong.map((fault) => `shop ${i + 1}, nothing planted, ${fault}`),
  ]);
  const renamed = scores.flatMap((score) => score.renamed);
  const reused = scores.flatMap((score) => score.reused);
  return [
    ...lines,
    '',
    ...faults.map((fault) => `  ${fault}`),
    `events labelled right: ${percent(right, all)} (aim: at least 95 %)`,
    `segments renamed silently: ${renamed.length} (aim: 0)${list(renamed)}`,
    `keys reused: ${reused.length} (aim: 0)${list(reused)}`,
  ].join('\n');
}

function rowOf(what: string, planted: number, right: number): string {
  return tableRow(
    [what, String(planted), String(right), String(planted - right), percent(right, planted)],
    WIDTHS,
  );
}

function reportMoves(moves: readonly MonthOfMoves[]): string {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);
  const points = (share: number) => (100 * share).toFixed(2);
  const lines = CAUSES.map((cause) => {
    const errors = moves.map(({ planted, found }) => Math.abs(found[cause] - planted[cause]));
    const sorted = errors.toSorted((a, b) => a - b);
    return tableRow(
      [
        cause,
        points(mean(moves.map(({ planted }) => planted[cause]))),
        points(mean(moves.map(({ found }) => found[cause]))),
        points(mean(errors)),
        points(sorted[Math.floor(0.95 * (sorted.length - 1))] ?? 0),
        points(sorted.at(-1) ?? 0),
      ],
      [24, 9, 9, 12, 9, 9],
    );
  });
  const within = moves.filter(({ planted, found }) =>
    CAUSES.every((cause) => Math.abs(found[cause] - planted[cause]) <= 0.01),
  );
  return [
    tableRow(['moves, % of common', 'planted', 'found', 'mean error', '95 %', 'worst'], [24, 9, 9, 12, 9, 9]),
    ...lines,
    `months with all three within 1 percentage point: ${percent(within.length, moves.length)} of ${moves.length}`,
  ].join('\n');
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}

function list(items: readonly string[]): string {
  return items.map((item) => `\n  ${item}`).join('');
}

function readOptions(args: string[]): Options {
  return benchCommand('identity')
    .description('whether segments keep their keys and names in shops that change by plan')
    .option('--seeds <n>', 'shops', count, 5)
    .option('--from <n>', 'the first seed', countFrom(0), 1)
    .option('--months <n>', 'runs of each', countFrom(2), 24)
    .option('--customers <n>', 'of each in its first month', count, 4000)
    .option('--bootstraps <n>', 'resamples of each fit', count, 50)
    .option('--refits <n>', 'fits on fresh customers that tell the true borders', count, 20)
    .option('--choose', 'as many segments as the evidence says, not as many as are planted', false)
    .option(
      '--crowd',
      'in place of planned shops a crowd without groups, for the moves at its borders',
      false,
    )
    .option('--json <file>', 'keeps the figures')
    .parse(args, { from: 'user' })
    .opts<Options>();
}
