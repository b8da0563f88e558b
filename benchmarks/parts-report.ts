import { tableRow } from './figures.ts';

/** What one activity of a run took, in seconds from the run's beginning. */
export interface Done {
  activity: string;
  scheduled: number;
  started: number;
  ended: number;
}

export interface MeasuredParts {
  name: string;
  workers: number;
  parts: number;
  seconds: number;
  /** Bytes of all processes at the same moment; null where the system does not tell. */
  memory: number | null;
  historyBytes: number;
  customers: number;
  transactions: number;
  activities: Done[];
  /** Digest of every product of every stage. */
  products: Record<string, Record<string, string>>;
}

/** Activities that are parts, by the stage that they are parts of. */
const PARTS = { features: 'aggregatePart', persist: 'loadMemberships' } as const;
const AROUND = {
  features: ['planParts', 'buildFeatures'],
  persist: ['planMemberships', 'persistRun'],
} as const;
const WIDTHS = [34, 14, 14, 14];
const GIGABYTE = 1e9;
const CALCULATED_WORKERS = 16;

/**
 * Seconds until so many workers have done the parts, each taking the next one when it is free.
 *
 * @param seconds of each part, in the order in which they are given out
 */
export function makespan(seconds: readonly number[], workers: number): number {
  const free = new Array<number>(workers).fill(0);
  for (const one of seconds) {
    const next = free.indexOf(Math.min(...free));
    free[next]! += one;
  }
  return Math.max(...free);
}

export function partsReport(runs: readonly MeasuredParts[]): string {
  const { transactions, customers } = runs[0]!;
  const lines = [
    `${transactions.toLocaleString('en-US')} transactions, ${customers.toLocaleString('en-US')} customers; every worker with one thread and a folder of its own`,
    '',
    tableRow(['', ...runs.map(({ name }) => name)], WIDTHS),
    row('whole run', runs, ({ seconds }) => `${seconds.toFixed(1)} s`),
    row('memory of all processes', runs, ({ memory }) =>
      memory === null ? '–' : `${(memory / GIGABYTE).toFixed(2)} GB`,
    ),
    row('history', runs, ({ historyBytes }) => `${Math.round(historyBytes / 1000)} KB`),
  ];
  for (const stage of ['features', 'persist'] as const) {
    const [before, after] = AROUND[stage];
    lines.push(
      '',
      row(`${stage}, as a whole or its parts`, runs, (run) =>
        seconds(wallOf(run, run.parts > 1 ? PARTS[stage] : after)),
      ),
      row('  where they begin', runs, (run) => (run.parts > 1 ? seconds(wallOf(run, before)) : '')),
      row('  joining them', runs, (run) => (run.parts > 1 ? seconds(wallOf(run, after)) : '')),
    );
  }
  return [...lines, '', ...calculated(runs), '', sameness(runs)].join('\n');
}

function row(name: string, runs: readonly MeasuredParts[], cell: (run: MeasuredParts) => string): string {
  return tableRow([name, ...runs.map(cell)], WIDTHS);
}

const seconds = (value: number) => `${value.toFixed(2)} s`;

/** From the moment the first one was started to the end of the last one. */
function wallOf({ activities }: MeasuredParts, activity: string): number {
  const found = activities.filter((done) => done.activity === activity);
  if (found.length === 0) return 0;
  return Math.max(...found.map(({ ended }) => ended)) - Math.min(...found.map(({ started }) => started));
}

/** From what each part took where one worker did them one after the other. */
function calculated(runs: readonly MeasuredParts[]): string[] {
  const alone = runs.find(({ workers, parts }) => workers === 1 && parts > 1);
  if (!alone) return [];
  return (['features', 'persist'] as const).map((stage) => {
    const each = alone.activities
      .filter(({ activity }) => activity === PARTS[stage])
      .map(({ started, ended }) => ended - started);
    // As many workers as parts, or more, wait for the longest part; in twice as many parts each takes about half.
    const halves = each.flatMap((one) => [one / 2, one / 2]);
    return `by calculation, ${CALCULATED_WORKERS} workers: the ${each.length} parts of ${stage} in ${seconds(makespan(each, CALCULATED_WORKERS))}, ${halves.length} parts in ${seconds(makespan(halves, CALCULATED_WORKERS))}`;
  });
}

/** Products in which a run differs from the first one, as `stage.product`. */
export function differing(runs: readonly MeasuredParts[]): string[] {
  const [first, ...others] = runs;
  return others.flatMap(({ name, products }) =>
    Object.entries(first!.products).flatMap(([stage, digests]) =>
      Object.entries(digests)
        .filter(([product, digest]) => products[stage]?.[product] !== digest)
        .map(([product]) => `${name}: ${stage}.${product}`),
    ),
  );
}

function sameness(runs: readonly MeasuredParts[]): string {
  if (runs.length === 1) return 'one run: nothing to compare digests with';
  const odd = differing(runs);
  const count = Object.values(runs[0]!.products).reduce(
    (sum, digests) => sum + Object.keys(digests).length,
    0,
  );
  return odd.length === 0
    ? `✓ the ${count} products of the stages have the same digests in all ${runs.length} runs`
    : `✗ other digests: ${odd.join(', ')}`;
}
