import { quoteName } from '../contracts/sql-quote.ts';
import { nullRulesOf } from './assign-features.ts';
import { derivedFor } from './derive-tree.ts';
import type { Model } from './model.ts';
import type { Chain } from './model-sql-chain.ts';
import { derivedSql } from './model-sql-derive.ts';
import { type Dialect, double } from './model-sql-text.ts';

/** Inputs of computed features beyond these could over- or underflow in the middle of an expression. */
const INPUT = { smallest: 1e-100, largest: 1e100 };
/** A double below this may underflow on its way; as 0 it has the same result in single precision. */
const NEGLIGIBLE = 1e-290;

export interface FeatureSource {
  /** Quoted. */
  source: string;
  customerId: string;
  derived?: 'columns' | 'computed';
}

/**
 * Adds the steps that read the source, up to f0, f1 … = the clustered features, each finite or NULL. A figure that is
 * NULL or not finite is what its null rule says; without one nothing is guessed, and the customer gets NULL.
 *
 * @returns the columns read, and those among them that are derived features SQL cannot say
 */
export function addFeatures(
  chain: Chain,
  model: Model,
  { source, customerId, derived = 'columns' }: FeatureSource,
): { reads: string[]; expected: string[] } {
  const { reads, computed, expected } = planFeatures(model, derived);
  const names = new Map([...reads, ...computed.map(({ name }) => name)].map((name, i) => [name, `v${i}`]));
  const columnOf = (name: string) => names.get(name)!;
  chain.read(
    { from: source, customerId: quoteName(customerId) },
    reads.map((name) => ({ name: columnOf(name), sql: `CAST(${quoteName(name)} AS FLOAT8)` })),
  );
  const inputs = new Set(computed.flatMap((feature) => feature.inputs));
  const rules = nullRulesOf(model);
  if (reads.some((name) => rules[name] !== undefined))
    chain.add(
      'filled',
      reads.map((name) => ({ name: columnOf(name), sql: filledSql(columnOf(name), rules[name]) })),
    );
  const made = reads.map((name) => {
    const column = columnOf(name);
    return { name: column, sql: inputs.has(name) ? inputSql(column) : finiteSql(column, chain.dialect) };
  });
  chain.add('finite', made);
  for (const feature of computed) {
    const kept = made.map(({ name }) => ({ name, sql: name }));
    const column = { name: columnOf(feature.name), sql: derivedSql(feature, columnOf)! };
    chain.add('derived', [...kept, column]);
    made.push(column);
  }
  const clustered = model.transforms.map(({ feature }, j) => ({ name: `f${j}`, sql: columnOf(feature) }));
  chain.add('features', clustered);
  return { reads, expected };
}

/** What is read from the source, and what is made of that, in an order in which it can be. */
function planFeatures(model: Model, mode: 'columns' | 'computed') {
  const derived = mode === 'computed' ? derivedFor(model) : [];
  const isSayable = (feature: (typeof derived)[number]) => derivedSql(feature, quoteName) !== null;
  const expected = derived.filter((feature) => !isSayable(feature)).map(({ name }) => name);
  const needed = new Set(model.transforms.map(({ feature }) => feature));
  const computed = derived
    .toReversed()
    .filter((feature) => {
      if (!needed.has(feature.name) || !isSayable(feature)) return false;
      for (const input of feature.inputs) needed.add(input);
      return true;
    })
    .reverse();
  const made = new Set(computed.map(({ name }) => name));
  return { computed, reads: [...needed].filter((name) => !made.has(name)), expected };
}

// NULL and NaN fail the comparison, in which both databases take NaN for the largest number.
function filledSql(x: string, whenMissing: number | undefined): string {
  if (whenMissing === undefined) return x;
  return `CASE WHEN abs(${x}) < ${double(Infinity)} THEN ${x} ELSE ${double(whenMissing)} END`;
}

function inputSql(x: string): string {
  const isSafe = `abs(${x}) BETWEEN ${double(INPUT.smallest)} AND ${double(INPUT.largest)}`;
  return `CASE WHEN ${x} = 0 OR ${isSafe} THEN ${x} END`;
}

// NaN is the largest number to both databases.
function finiteSql(x: string, dialect: Dialect): string {
  const toZero = dialect === 'postgres' ? `WHEN abs(${x}) < ${double(NEGLIGIBLE)} THEN 0 ` : '';
  return `CASE ${toZero}WHEN abs(${x}) < ${double(Infinity)} THEN ${x} END`;
}
