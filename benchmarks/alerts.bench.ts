import { createRandom } from '../numeric/random/random.ts';
import { type AlertSettings, alertSettings } from '../pipelines/contracts/alert-settings.ts';
import { backtestAlerts } from '../pipelines/stages/alerts/backtest.ts';
import { findAlerts } from '../pipelines/stages/alerts/find.ts';
import { type Plant, simulateStream } from './bases/alert-streams.ts';
import { keepFigures } from './figures.ts';
import { benchCommand, count } from './options.ts';

interface Options {
  streams: number;
  runs: number;
  days: number;
  least: number;
  most: number;
  budget: number;
  share: number;
  seed: number;
  json?: string;
}

/**
 * Whether alerts come when they should and stay away when they should: streams in which nothing happens must stay
 * inside the budget of false alarms, a planted shift must be told in the run it happens in. With the rules that come
 * with Strata.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const settings = alertSettings.parse({ falseAlarmsPerMonth: options.budget });
  const quiet = judgeQuiet(options, settings);
  print(
    `${options.streams} streams without a change, ${options.runs} runs ${options.days} days apart, ` +
      `${options.least} to ${options.most} customers:`,
    `  ${quiet.alerts} alerts in ${quiet.months.toFixed(0)} months: ${quiet.perMonth.toFixed(3)} a month, ` +
      `budget ${options.budget} (${quiet.perMonth <= options.budget ? 'inside' : 'OUTSIDE'}); ` +
      `${quiet.streamsWithAlert} streams had one`,
    ...Object.entries(quiet.byRule).map(([rule, told]) => `  ${rule.padEnd(20)} ${told}`),
  );
  const found = [];
  for (const kind of ['moved', 'lost'] as const) {
    const shifts = judgePlanted(options, settings, kind);
    const told = shifts.filter((shift) => shift.isFound).length;
    print(
      `${shifts.length} streams in which ${options.share * 100} % of a segment ${kind === 'moved' ? 'go to another one' : 'are lost'}:`,
      `  ${told} told in that run: ${((100 * told) / shifts.length).toFixed(1)} % (at least 90 % wanted)`,
      ...bySize(shifts),
    );
    found.push({ kind, shifts });
  }
  await keepFigures(options.json, { options, quiet, found });
}

function judgeQuiet({ streams, ...plan }: Options, settings: AlertSettings) {
  const byRule: Record<string, number> = Object.fromEntries(settings.rules.map(({ name }) => [name, 0]));
  let [alerts, months, streamsWithAlert] = [0, 0, 0];
  for (let stream = 0; stream < streams; stream++) {
    const { measurements } = simulateStream(createRandom(plan.seed).fork('quiet').fork(stream), {
      ...{ runs: plan.runs, daysBetweenRuns: plan.days, customers: sizeOf(stream, { streams, ...plan }) },
    });
    const result = backtestAlerts(measurements, { settings, currency: 'EUR' });
    alerts += result.told.length;
    months += result.months;
    if (result.told.length > 0) streamsWithAlert++;
    for (const { rule, spoke } of result.rules) byRule[rule]! += spoke;
    progress(`quiet ${stream + 1} of ${streams}`);
  }
  return { alerts, months, perMonth: alerts / months, streamsWithAlert, byRule };
}

interface Shift {
  /** Customers of the segment before. */
  customers: number;
  isFound: boolean;
  rules: string[];
}

function judgePlanted(options: Options, settings: AlertSettings, kind: Plant['kind']): Shift[] {
  return Array.from({ length: options.streams }, (_, stream): Shift => {
    const run = Math.ceil(options.runs * 0.75);
    const { measurements, planted } = simulateStream(createRandom(options.seed).fork(kind).fork(stream), {
      ...{ runs: run, daysBetweenRuns: options.days, customers: sizeOf(stream, options) },
      plant: { run, kind, share: options.share },
    });
    const past = measurements.slice(0, -1);
    const findings = findAlerts(measurements.at(-1)!, { past, settings, currency: 'EUR' });
    const rules = findings
      .filter(({ subject }) => subject.split(':').at(-1) === planted!.segmentId)
      .map(({ rule }) => rule);
    progress(`${kind} ${stream + 1} of ${options.streams}`);
    return { customers: planted!.customers, isFound: rules.length > 0, rules };
  });
}

/** Customers of a stream, the sizes spread evenly over their logarithms. */
function sizeOf(
  stream: number,
  { streams, least, most }: Pick<Options, 'streams' | 'least' | 'most'>,
): number {
  return Math.round(least * (most / least) ** ((stream + 0.5) / streams));
}

const BANDS = [0, 250, 500, 1_000, 2_000, Number.POSITIVE_INFINITY];

function bySize(shifts: readonly Shift[]): string[] {
  return BANDS.slice(0, -1).flatMap((from, i) => {
    const to = BANDS[i + 1]!;
    const own = shifts.filter(({ customers }) => customers >= from && customers < to);
    if (own.length === 0) return [];
    const told = own.filter(({ isFound }) => isFound).length;
    const band = to === Number.POSITIVE_INFINITY ? `from ${from}` : `${from} to ${to - 1}`;
    return [
      `  segments of ${band.padEnd(14)} ${told} of ${own.length} (${((100 * told) / own.length).toFixed(0)} %)`,
    ];
  });
}

function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r${text}\x1b[K\r`);
}

function readOptions(args: string[]): Options {
  return benchCommand('alerts')
    .description('how often alerts come without a cause, and whether planted shifts are told')
    .option('--streams <n>', 'streams of each kind', count, 200)
    .option('--runs <n>', 'runs of each stream', count, 24)
    .option('--days <n>', 'days between runs', count, 30)
    .option('--least <n>', 'customers of the smallest stream', count, 2_000)
    .option('--most <n>', 'customers of the largest stream', count, 10_000)
    .option('--budget <n>', 'false alarms a month', Number, 1)
    .option('--share <n>', 'of a segment that is planted', Number, 0.1)
    .option('--seed <n>', 'of everything', count, 1)
    .option('--json <file>', 'keeps all figures')
    .parse(args, { from: 'user' })
    .opts<Options>();
}
