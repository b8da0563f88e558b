import type { CodeVersions, Difference } from '../contracts/reproduce.ts';
import type { Stage } from '../contracts/run.ts';
import type { Manifest } from './manifest.ts';

// A run that was computed again, beside what its manifest says. Two manifests agree where their digests do; where they
// do not, a person needs to know which product it is and, as far as that can be told, why.

/** What a run was made of. */
const MADE_OF = [
  'pipeline',
  'kind',
  'asOf',
  'seed',
  'definition',
  'fixedK',
  'releases',
  'champion',
] as const satisfies readonly (keyof Manifest)[];

/** What a manifest says of a run's end, beside digests. */
const FIGURES = ['counts', 'verdicts', 'segments'] as const satisfies readonly (keyof Manifest)[];

/** Why a manifest differs from what its run was told or answered. */
export const MISQUOTED = "the manifest says otherwise than the run's own history";

/** More say nothing that these do not. */
const MOST_TOLD = 40;

/**
 * All in which today's manifest is not the one that the run has, in the order of the stages. The code version is no
 * difference by itself; a product that only today's code makes is none either.
 */
export function compareManifests(then: Manifest, now: Manifest): Difference[] {
  const made = MADE_OF.flatMap((part) => difference('run', part, then[part], now[part]));
  const digests = then.stages.flatMap(({ stage, digests: wanted }) => {
    const found = now.stages.find((other) => other.stage === stage)?.digests ?? {};
    return Object.keys(wanted)
      .sort()
      .flatMap((product) => difference(stage, product, wanted[product], found[product]));
  });
  const results = FIGURES.flatMap((part) => {
    const [before, after] = [valuesOf(then[part], part), valuesOf(now[part], part)];
    const paths = [...new Set([...before.keys(), ...after.keys()])];
    return paths.flatMap((path) => difference('result', path, before.get(path), after.get(path)));
  });
  return [...made.map((found) => ({ ...found, why: MISQUOTED })), ...digests, ...results].slice(0, MOST_TOLD);
}

function difference(stage: Difference['stage'], product: string, then: unknown, now: unknown): Difference[] {
  const [before, after] = [said(then), said(now)];
  return before === after ? [] : [{ stage, product, before, now: after, where: [], why: null }];
}

function said(value: unknown): string | null {
  return value === undefined || value === null ? null : String(value);
}

/** Every leaf of a value, by its path. */
function valuesOf(value: unknown, path: string): Map<string, unknown> {
  if (value === null || typeof value !== 'object') return new Map([[path, value]]);
  const step = (key: string) => (Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
  return new Map(Object.entries(value).flatMap(([key, inner]) => [...valuesOf(inner, step(key))]));
}

/** Whose products each stage reads. */
const READS: Readonly<Partial<Record<Stage, readonly Stage[]>>> = {
  cluster: ['features'],
  assign: ['features'],
  match: ['features', 'cluster', 'assign'],
  name: ['features', 'cluster', 'assign', 'match'],
  stability: ['features', 'cluster', 'assign', 'match', 'name'],
};

export interface Suspicion {
  stage: Stage;
  /** Stages that came to something else. */
  differing: readonly Stage[];
  /** Whether the run had a result of the very same inputs: definition, seed, artifacts, what was published. */
  hasSameInputs: boolean;
  code: CodeVersions;
  /** What computes: `Node v22.12.0 on linux x64`. */
  runtime: string;
}

/** Why a stage's products are others, as far as that can be told. */
export function whyDifferent({ stage, differing, hasSameInputs, code, runtime }: Suspicion): string {
  const [first] = (READS[stage] ?? []).filter((earlier) => differing.includes(earlier));
  if (first !== undefined) return `follows from ${first}`;
  if (code.before !== code.now) {
    const versions = `${short(code.before)} then, ${short(code.now)} now`;
    return hasSameInputs
      ? `the same inputs, another code version: ${versions}`
      : `another code version (${versions}), and it was told something else than then`;
  }
  if (hasSameInputs)
    return `the same code and the same inputs: the numbers come out otherwise here (${runtime}), in a kernel or a library`;
  return 'the same code was told something else than then: what was published, or a name in force, is not as it was';
}

function short(digest: string): string {
  return digest.slice(0, 12);
}

const DEEPEST = 3;
const PATHS_TOLD = 6;

/** Where two JSON values differ, by path and never by value. */
export function differingPaths(then: unknown, now: unknown): string[] {
  const found: string[] = [];
  collectPaths({ before: then, now, path: '', depth: 0 }, found);
  return found.length > PATHS_TOLD
    ? [...found.slice(0, PATHS_TOLD), `and ${found.length - PATHS_TOLD} more`]
    : found;
}

interface Pair {
  before: unknown;
  now: unknown;
  path: string;
  depth: number;
}

function collectPaths({ before, now, path, depth }: Pair, found: string[]): void {
  if (JSON.stringify(before) === JSON.stringify(now)) return;
  const isList = Array.isArray(before) && Array.isArray(now);
  if (depth === DEEPEST || !(isList || (isObject(before) && isObject(now)))) {
    found.push(path || 'all of it');
    return;
  }
  const [was, is] = [before, now] as [Record<string, unknown>, Record<string, unknown>];
  for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const step = isList ? `${path}[${key}]` : [path, nameOf(key)].filter(Boolean).join('.');
    collectPaths({ before: was[key], now: is[key], path: step, depth: depth + 1 }, found);
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A key that no field of ours could have may be a word of the data: it is not told. */
function nameOf(key: string): string {
  return /^[A-Za-z][\w-]*$/.test(key) ? key : '…';
}

/**
 * How many values of a column differ, as a phrase; null when none does.
 *
 * @param then, now shape (rows,); NaN equals NaN, as in the bytes
 */
export function differingColumn(
  name: string,
  then: ArrayLike<number> | undefined,
  now: ArrayLike<number> | undefined,
): string | null {
  if (!then || !now) return `column ${name} is in one of them alone`;
  if (then.length !== now.length) return `column ${name}: ${then.length} values then, ${now.length} now`;
  let count = 0;
  let largest = 0;
  for (let row = 0; row < then.length; row++) {
    if (Object.is(then[row], now[row])) continue;
    count += 1;
    const apart = Math.abs(then[row]! - now[row]!);
    if (apart > largest) largest = apart;
  }
  if (count === 0) return null;
  return `column ${name}: ${count} of ${then.length} values, by up to ${Number(largest.toPrecision(3))}`;
}
