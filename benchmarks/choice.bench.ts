import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { chooseK } from '../numeric/cluster/choice/choose-k.ts';
import { createKernelPool } from '../numeric/kernels/pool.ts';
import { createRandom } from '../numeric/random/random.ts';
import { copulaBase } from './bases/without-groups.ts';
import { median } from './figures.ts';
import { benchCommand, count } from './options.ts';

interface Options {
  rows: number;
  columns: number;
  repeat: number;
  threads: number;
  json?: string;
}

/**
 * The choice of k over 2 to 10 as the product makes it (100 resamples, 20 null draws, its sample) for a base of a
 * million customers without groups: the slowest case, since fits without groups take the most iterations.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const X = copulaBase(createRandom(1), { ...options, isCorrelated: true });
  const pool = createKernelPool({ threads: options.threads });
  try {
    const seconds: number[] = [];
    for (let i = 0; i < options.repeat; i++) {
      const started = performance.now();
      const { k, verdict, scoredOn, bootstraps, nullDraws } = await chooseK(pool, X, {
        ...{ seed: 1, kMin: 2, kMax: 10 },
      });
      seconds.push((performance.now() - started) / 1000);
      process.stdout.write(
        `${seconds.at(-1)!.toFixed(2)} s: k = ${k}, ${verdict}; ${scoredOn.of} rows x ${X.columns}, scored on a sample of ` +
          `${scoredOn.rows}, ${bootstraps} resamples and ${nullDraws} null draws for each k from 2 to 10\n`,
      );
    }
    process.stdout.write(
      `median ${median(seconds).toFixed(2)} s on ${options.threads} threads (aim: 10 s)\n`,
    );
    if (options.json) await writeFile(options.json, `${JSON.stringify({ options, seconds }, null, 2)}\n`);
  } finally {
    await pool.close();
  }
}

function readOptions(args: string[]): Options {
  return benchCommand('choice')
    .description('the choice of k over 2..10 for a large base')
    .option('--rows <n>', 'customers', count, 1_000_000)
    .option('--columns <n>', 'features', count, 12)
    .option('--repeat <n>', 'times', count, 3)
    .option('--threads <n>', 'of the kernels', count, availableParallelism())
    .option('--json <file>', 'keeps the figures')
    .parse(args, { from: 'user' })
    .opts<Options>();
}
