import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { KChoice } from '../numeric/cluster/choice/choice.ts';
import { chooseK } from '../numeric/cluster/choice/choose-k.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import type { Matrix } from '../numeric/matrix.ts';
import { createRandom, type Random } from '../numeric/random/random.ts';
import { groupedBase } from './bases/with-groups.ts';
import { copulaBase, purchaseBase, shapedBase } from './bases/without-groups.ts';
import { benchCommand, count } from './options.ts';

interface Options {
  bases: number;
  rows: number;
  separation: number;
  bootstraps: number;
  seed: number;
  json?: string;
}

interface Base {
  X: Matrix;
  /** Number of groups that were planted; 0 = none. */
  k: number;
}

interface Kind {
  name: string;
  count: number;
  make(random: Random): Base;
}

interface Judged {
  kind: string;
  base: number;
  planted: number;
  k: number | null;
  verdict: KChoice['verdict'];
  /** The deepest valley at any k that passed the gates; null = none passed. */
  deepestValley: number | null;
}

/**
 * Whether *natural* means something: of customer bases without groups few may be called so, of bases with groups
 * nearly all, with their number. Everything is drawn from the seed; the choice runs as the product runs it, k from 2
 * to 10.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const pool = createKernelPool({ threads: availableParallelism() });
  try {
    const judged: Judged[] = [];
    for (const kind of kindsOf(options)) {
      const own = await judgeAll(pool, kind, options);
      judged.push(...own);
      process.stdout.write(`${lineOf(kind, own)}\n`);
    }
    const without = judged.filter(({ planted, kind }) => planted === 0 && kind !== SHAPES);
    const withGroups = judged.filter(({ planted }) => planted > 0);
    const natural = withGroups.filter(isNatural);
    const right = natural.filter(({ k, planted }) => k === planted);
    process.stdout.write(
      `\nwithout groups: ${share(without.filter(isNatural), without)} called natural (at most 5 % wanted)\n` +
        `with groups ${options.separation} standard deviations apart: ${share(natural, withGroups)} called natural ` +
        `(at least 90 %), with the right k ${share(right, natural)} of those (at least 90 %)\n`,
    );
    if (options.json) await writeFile(options.json, `${JSON.stringify({ options, judged }, null, 2)}\n`);
  } finally {
    await pool.close();
  }
}

const SHAPES = 'other shapes';

function kindsOf({ bases, rows, separation }: Options): Kind[] {
  const third = (i: number) => Math.floor((bases * (i + 1)) / 3) - Math.floor((bases * i) / 3);
  const without = (X: Matrix): Base => ({ X, k: 0 });
  return [
    {
      name: 'independent',
      count: third(0),
      make: (random) => without(copulaBase(random, { rows, isCorrelated: false })),
    },
    {
      name: 'correlated',
      count: third(1),
      make: (random) => without(copulaBase(random, { rows, isCorrelated: true })),
    },
    { name: 'purchases', count: third(2), make: (random) => without(purchaseBase(random, { rows })) },
    // Beside the two hundred: what no null model of ours has.
    { name: SHAPES, count: Math.ceil(bases / 4), make: (random) => without(shapedBase(random, { rows })) },
    { name: 'planted', count: bases, make: (random) => groupedBase(random, { rows, separation }) },
  ];
}

async function judgeAll(pool: KernelPool, { name, count, make }: Kind, options: Options): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (let base = 0; base < count; base++) {
    const { X, k: planted } = make(createRandom(options.seed).fork(name).fork(base));
    const { bootstraps } = options;
    const choice = await chooseK(pool, X, { seed: base, kMin: 2, kMax: 10, bootstraps });
    const passed = choice.candidates.filter(({ k }) => choice.stableRange.includes(k));
    judged.push({
      ...{ kind: name, base, planted, k: choice.k, verdict: choice.verdict },
      deepestValley: passed.length === 0 ? null : Math.min(...passed.map(({ valley }) => valley)),
    });
    if (process.stdout.isTTY) process.stdout.write(`\r${name} ${base + 1} of ${count}\x1b[K\r`);
  }
  return judged;
}

function isNatural({ verdict }: Judged): boolean {
  return verdict === 'natural';
}

function share(part: readonly Judged[], whole: readonly Judged[]): string {
  const percent = whole.length === 0 ? 0 : (100 * part.length) / whole.length;
  return `${part.length} of ${whole.length} (${percent.toFixed(1)} %)`;
}

function lineOf({ name }: Kind, judged: readonly Judged[]): string {
  const of = (verdict: Judged['verdict']) => judged.filter((own) => own.verdict === verdict).length;
  const verdicts = (['natural', 'reproducible', 'constructed', 'none'] as const)
    .map((verdict) => `${verdict} ${String(of(verdict)).padStart(3)}`)
    .join('  ');
  const right = judged.filter(({ k, planted }) => k === planted).length;
  return `${name.padEnd(13)} ${String(judged.length).padStart(4)} bases   ${verdicts}${judged[0]?.planted ? `   right k ${right}` : ''}`;
}

function readOptions(args: string[]): Options {
  return benchCommand('honesty')
    .description('whether bases without groups are called natural, and bases with groups are')
    .option('--bases <n>', 'bases without groups, and as many with', count, 200)
    .option('--rows <n>', 'customers of each base', count, 3000)
    .option('--separation <n>', 'standard deviations between planted groups', Number, 4)
    .option('--bootstraps <n>', 'resamples of each choice', count, 100)
    .option('--seed <n>', 'of everything', count, 1)
    .option('--json <file>', 'keeps every verdict')
    .parse(args, { from: 'user' })
    .opts<Options>();
}
