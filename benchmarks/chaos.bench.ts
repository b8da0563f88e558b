import { chaosReport, wrongOf } from './chaos-report.ts';
import { keepFigures } from './figures.ts';
import { benchCommand, count } from './options.ts';

interface Options {
  kills: number;
  seed: number;
  dates: number;
  homes: number;
  json?: string;
}

const FIRST_YEAR = 2025;
const FIRST_MONTH = 7;
const LONGEST_LINE = 1_000;

/**
 * Faults at random moments of runs that go one after another over a small shop: kill -9 of a worker, of PostgreSQL, of
 * Temporal's server and of the S3 gateway, sessions ended, connections cut, a full disk. Half of the homes do runs in parts
 * with two workers, half have their artifacts in a bucket. What is promised is that nothing differs from the same runs
 * undisturbed.
 */
export async function bench(args: string[]): Promise<void> {
  const options = benchCommand('chaos')
    .option('--kills <faults>', 'how many faults are caused, of all kinds together', count, 200)
    .option('--seed <seed>', 'the same seed draws the same faults and moments for each home', count, 1)
    .option('--dates <runs>', 'runs in one home, each of a later date, before a new home', count, 6)
    .option('--homes <homes>', 'homes at the same time', count, 4)
    .option('--json <file>', 'write the figures to this file')
    .parse(args, { from: 'user' })
    .opts<Options>();
  const { buildKernels } = await import('../scripts/build-kernels.mjs');
  await buildKernels();
  const { disturbHomes } = await import('./chaos-homes.ts');
  const { kills, seed, dates, homes } = options;
  const began = performance.now();
  // Servers and a disk would be left behind by a process that ends at once.
  let isAsked = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      isAsked = true;
      console.error('  stops after the runs that are going on');
    });
  console.error(`${dates} runs as a whole and ${dates} in parts without a fault, to compare with`);
  const found = await disturbHomes({
    ...{ kills, seed, dates: monthsFrom(dates), atOnce: homes },
    isAsked: () => isAsked,
    tell: {
      usual: ({ asOf, ms }, way) => console.error(`  ${asOf}  ${secondsOf(ms)} s  ${way}`),
      run: ({ home, run, hits, ms }) => console.error(lineOf({ home, run, hits, kills, ms })),
      wrong: (line) => console.error(`  ! ${line.slice(0, LONGEST_LINE)}`),
    },
  });
  const totals = { ...found, seconds: (performance.now() - began) / 1_000 };
  console.log(chaosReport(totals));
  await keepFigures(options.json, { options, ...totals, wrong: wrongOf(totals) });
  if (wrongOf(totals).length > 0) process.exitCode = 1;
}

function lineOf(told: {
  home: string;
  run: { asOf: string; ms: number; hits: { kind: string; at: string }[]; wrong: string[] };
  hits: number;
  kills: number;
  ms: number;
}): string {
  const { home, run, hits, kills, ms } = told;
  const what = run.hits.map(({ kind, at }) => `${kind} in ${at}`).join(', ') || 'nothing hit';
  const minutes = Math.ceil(((kills - hits) * ms) / hits / 60_000);
  const left = hits === 0 ? '' : `, about ${Math.max(0, minutes)} min left`;
  return [
    `  ${home}  ${run.asOf}  ${secondsOf(run.ms)} s  ${what} (${hits} of ${kills}${left})`,
    ...run.wrong.map((line) => `  ! ${line.slice(0, LONGEST_LINE)}`),
  ].join('\n');
}

function secondsOf(ms: number): string {
  return (ms / 1_000).toFixed(1).padStart(5);
}

/** The first days of so many months. */
function monthsFrom(dates: number): string[] {
  return Array.from({ length: dates }, (_, i) =>
    new Date(Date.UTC(FIRST_YEAR, FIRST_MONTH - 1 + i, 1)).toISOString().slice(0, 10),
  );
}
