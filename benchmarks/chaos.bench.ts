import { createRandom } from '../numeric/random/random.ts';
import { FAULT_KINDS } from '../tests/helpers/chaos-faults.ts';
import { type ChaosTotals, chaosReport, wrongOf } from './chaos-report.ts';
import { keepFigures } from './figures.ts';
import { benchCommand, count } from './options.ts';

interface Options {
  kills: number;
  seed: number;
  dates: number;
  json?: string;
}

const FIRST_YEAR = 2025;
const FIRST_MONTH = 7;

/**
 * Faults at random moments of runs that go one after another over a small shop: kill -9 of the worker, of PostgreSQL and
 * of Temporal's server, sessions ended, connections cut, a full disk. What is promised is that nothing differs from the
 * same runs undisturbed. There is no S3 store yet, so its gateway is not among what is killed.
 */
export async function bench(args: string[]): Promise<void> {
  const options = benchCommand('chaos')
    .option('--kills <faults>', 'how many faults are caused, of all kinds together', count, 200)
    .option('--seed <seed>', 'the same seed draws the same faults and moments', count, 1)
    .option('--dates <runs>', 'runs in one home, each of a later date, before a new home', count, 6)
    .option('--json <file>', 'write the figures to this file')
    .parse(args, { from: 'user' })
    .opts<Options>();
  const { buildKernels } = await import('../scripts/build-kernels.mjs');
  await buildKernels();
  const found = await disturb(options);
  console.log(chaosReport(found));
  await keepFigures(options.json, { options, ...found, wrong: wrongOf(found) });
  if (wrongOf(found).length > 0) process.exitCode = 1;
}

async function disturb({ kills, seed, dates }: Options): Promise<ChaosTotals> {
  const { disturbedRound, undisturbedRound } = await import('../tests/helpers/chaos-round.ts');
  const { drawFaults } = await import('../tests/helpers/chaos-faults.ts');
  const began = performance.now();
  // Servers and a disk would be left behind by a process that ends at once.
  let isAsked = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      isAsked = true;
      console.error('  stops after this run');
    });
  console.error(`${dates} runs without a fault, to compare with`);
  const usual = await undisturbedRound({
    dates: monthsFrom(dates),
    onRun: ({ asOf, ms }) => console.error(`  ${asOf}  ${(ms / 1_000).toFixed(1)} s`),
  });
  const disturbedSince = performance.now();
  const random = createRandom(seed);
  const found: ChaosTotals = {
    seconds: 0,
    usual: usual.map(({ asOf, ms }) => ({ asOf, ms })),
    rounds: [],
    kinds: [],
  };
  let hits = 0;
  while (hits < kills && !isAsked) {
    const round = await disturbedRound({
      usual,
      faultsOf(run, home) {
        found.kinds = FAULT_KINDS.filter((kind) => home.kinds.includes(kind));
        return hits < kills && !isAsked
          ? drawFaults(random, run.steps, home.kinds).slice(0, kills - hits)
          : null;
      },
      onRun(run) {
        hits += run.hits.length;
        tell(run, { hits, kills, ms: performance.now() - disturbedSince });
      },
    });
    found.rounds.push(round);
    if (round.runs.some(({ wrong }) => wrong.length > 0)) console.error('  something differs: a new home');
    for (const line of round.wrong) console.error(`  ! ${line}`);
  }
  found.seconds = (performance.now() - began) / 1_000;
  return found;
}

function tell(
  run: { asOf: string; ms: number; hits: { kind: string; at: string }[]; wrong: string[] },
  { hits, kills, ms }: { hits: number; kills: number; ms: number },
): void {
  const what = run.hits.map(({ kind, at }) => `${kind} in ${at}`).join(', ') || 'nothing hit';
  const left = hits === 0 ? '' : `, about ${Math.ceil(((kills - hits) * ms) / hits / 60_000)} min left`;
  console.error(
    `  ${run.asOf}  ${(run.ms / 1_000).toFixed(1).padStart(5)} s  ${what} (${hits} of ${kills}${left})`,
  );
  for (const line of run.wrong) console.error(`  ! ${line.slice(0, 1_000)}`);
}

/** The first days of so many months. */
function monthsFrom(dates: number): string[] {
  return Array.from({ length: dates }, (_, i) =>
    new Date(Date.UTC(FIRST_YEAR, FIRST_MONTH - 1 + i, 1)).toISOString().slice(0, 10),
  );
}
