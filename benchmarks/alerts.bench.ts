import { InvalidArgumentError } from 'commander';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import { createRandom } from '../numeric/random/random.ts';
import { type AlertSettings, alertSettings } from '../pipelines/contracts/alert-settings.ts';
import {
  addQuiet,
  judgeShift,
  noStreams,
  type QuietScore,
  type Shift,
  tellQuiet,
  tellShifts,
} from './alerts-score.ts';
import { simulateStream } from './bases/alert-streams.ts';
import { keepFigures } from './figures.ts';
import { benchCommand, count, countFrom } from './options.ts';
import { refitStream, SHIFTS, type ShiftKind } from './refit-streams.ts';

interface Options {
  streams: number;
  runs: number;
  days: number;
  least: number;
  most: number;
  budget: number;
  share: number;
  seed: number;
  refits: boolean;
  apart: number[];
  choose: boolean;
  bootstraps: number;
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
  const found = options.refits ? await judgeRefits(options, settings) : judgeGiven(options, settings);
  await keepFigures(options.json, { options, ...found });
}

/** Segments and model are given: nothing is fitted. */
function judgeGiven(options: Options, settings: AlertSettings) {
  const { streams, runs, days, share } = options;
  const random = createRandom(options.seed);
  const quiet = noStreams(settings);
  for (let i = 0; i < streams; i++) {
    const plan = { runs, daysBetweenRuns: days, customers: sizeOf(i, options) };
    addQuiet(quiet, simulateStream(random.fork('quiet').fork(i), plan).measurements, settings);
    progress(`quiet ${i + 1} of ${streams}`);
  }
  print(titleOfQuiet(quiet, options), ...tellQuiet(quiet, settings));
  const found = SHIFTS.map((kind) => {
    const shifts = Array.from({ length: streams }, (_, i): Shift => {
      const run = plantedRunOf(options);
      const { measurements, planted } = simulateStream(random.fork(kind).fork(i), {
        ...{ runs: run, daysBetweenRuns: days, customers: sizeOf(i, options) },
        plant: { run, kind, share },
      });
      progress(`${kind} ${i + 1} of ${streams}`);
      return judgeShift(planted!, measurements, settings);
    });
    print(titleOfShifts(kind, shifts, options), ...tellShifts(shifts, { share, settings }));
    return { kind, shifts };
  });
  return { quiet, found };
}

/** Every run goes through the stages: a model is fitted, its segments are matched and named. */
async function judgeRefits(options: Options, settings: AlertSettings) {
  const pool = createKernelPool({ threads: 1 });
  const found = [];
  try {
    for (const apart of options.apart) found.push(await judgeApart(apart, { pool, options, settings }));
  } finally {
    await pool.close();
  }
  return { found };
}

async function judgeApart(
  apart: number,
  { pool, options, settings }: { pool: KernelPool; options: Options; settings: AlertSettings },
) {
  const { streams, runs, days, share, choose, bootstraps } = options;
  const random = createRandom(options.seed).fork(apart);
  const quiet = noStreams(settings);
  const shifts: Record<ShiftKind, Shift[]> = { moved: [], lost: [] };
  let refused = 0;
  for (let i = 0; i < streams; i++) {
    const stream = await refitStream(random.fork(i), {
      ...{ pool, apart, runs, choose, bootstraps, daysBetweenRuns: days, customers: sizeOf(i, options) },
      plant: { run: plantedRunOf(options), share },
    });
    refused += stream.refused;
    addQuiet(quiet, stream.quiet, settings);
    for (const planted of stream.planted)
      shifts[planted.kind].push(judgeShift(planted, planted.measurements, settings));
    progress(`${apart} deviations apart, ${i + 1} of ${streams}`);
  }
  print(
    `groups ${apart} deviations apart, ${titleOfQuiet(quiet, options)}`,
    ...tellQuiet(quiet, settings),
    ...(refused > 0 ? [`  runs without segments ${refused}`] : []),
    ...SHIFTS.flatMap((kind) => [
      titleOfShifts(kind, shifts[kind], options),
      ...tellShifts(shifts[kind], { share, settings }),
    ]),
  );
  return { apart, quiet, refused, shifts };
}

/** Customers of a stream, the sizes spread evenly over their logarithms. */
function sizeOf(
  stream: number,
  { streams, least, most }: Pick<Options, 'streams' | 'least' | 'most'>,
): number {
  return Math.round(least * (most / least) ** ((stream + 0.5) / streams));
}

/** Late enough that what is usual is known. */
function plantedRunOf({ runs }: Pick<Options, 'runs'>): number {
  return Math.ceil(runs * 0.75);
}

function titleOfQuiet({ streams }: QuietScore, { runs, days, least, most }: Options): string {
  return `${streams} streams without a change, ${runs} runs ${days} days apart, ${least} to ${most} customers:`;
}

function titleOfShifts(kind: ShiftKind, { length }: readonly Shift[], { share }: Options): string {
  const what = kind === 'moved' ? 'go to another one' : 'are lost';
  return `${length} streams in which ${share * 100} % of a segment ${what}:`;
}

function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r${text}\x1b[K\r`);
}

/** Customers where nothing else is asked: shops that are fitted are smaller, for the sake of time. */
const [GIVEN, REFITTED] = [
  { least: 2_000, most: 10_000 },
  { least: 1_000, most: 4_000 },
];

function distances(given: string): number[] {
  const values = given.split(',').map(Number);
  if (values.every((value) => value >= 1 && value <= 10)) return values;
  throw new InvalidArgumentError('needs numbers from 1 to 10, such as 4,6,8.');
}

function readOptions(args: string[]): Options {
  const options = benchCommand('alerts')
    .description('how often alerts come without a cause, and whether planted shifts are told')
    .option('--streams <n>', 'streams of each kind; with --refits, for each distance', count, 200)
    .option('--runs <n>', 'runs of each stream', countFrom(2), 24)
    .option('--days <n>', 'days between runs', count, 30)
    .option('--least <n>', 'customers of the smallest stream (2000; with --refits 1000)', count)
    .option('--most <n>', 'customers of the largest stream (10000; with --refits 4000)', count)
    .option('--budget <n>', 'false alarms a month', Number, 1)
    .option('--share <n>', 'of a segment that is planted', Number, 0.1)
    .option('--refits', 'every run through the stages, from features to stability', false)
    .option('--apart <list>', 'with --refits: deviations from a group to the nearest', distances, [4, 6, 8])
    .option('--choose', 'with --refits: as many segments as the evidence says, not as are there', false)
    .option('--bootstraps <n>', 'with --refits: resamples of each fit', countFrom(2), 30)
    .option('--seed <n>', 'of everything', count, 1)
    .option('--json <file>', 'keeps all figures')
    .parse(args, { from: 'user' })
    .opts<Omit<Options, 'least' | 'most'> & Partial<Options>>();
  return { ...(options.refits ? REFITTED : GIVEN), ...options };
}
