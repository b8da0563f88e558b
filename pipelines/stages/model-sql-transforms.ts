import type { FittedTransform } from '../../numeric/statistics/transforms.ts';
import type { Model } from './model.ts';
import type { Chain } from './model-sql-chain.ts';
import { type Dialect, double } from './model-sql-text.ts';

// The transforms in SQL, in double precision, for x = the name of a column. Neither database has log1p or
// expm1: they are made of ln and exp so that no digits are lost near 0 (Kahan; Higham 2002, Accuracy and
// Stability of Numerical Algorithms, section 1.14), to the last bit or two of what Math.log1p gives.
// Both end the query at a logarithm of 0, PostgreSQL at an overflow or underflow too, so values that would
// get there are led away first: a row that cannot be assigned gets NULL.

/** Farther from the centre than this, in units of the scale, no result is of any use. */
const FARTHEST = 1e100;
const LARGEST = 1e305;
/** exp of less is 0 beside 1. */
const LEAST_EXPONENT = -700;
const MOST_EXPONENT = 700;
/** Beyond these neither squares nor sums stay finite in single precision. */
const LARGEST_SINGLE = 1e18;
/** Half the smallest number of single precision: all up to it is rounded to 0, which PostgreSQL calls an error. */
const UNDERFLOW = 2 ** -150;

/** Each fitted step of all columns, then f0, f1 … in single precision. */
export function addTransforms(chain: Chain, { transforms }: Model): void {
  const rounds = Math.max(...transforms.map(({ steps }) => steps.length));
  for (let round = 0; round < rounds; round++) {
    const made = transforms.map(({ steps }, j) => ({
      x: `f${j}`,
      y: `y${j}`,
      sql: steps[round] && transformSql(steps[round], chain.dialect),
    }));
    const before = made.flatMap(({ x, y, sql }) => (sql?.before ? [{ name: y, sql: sql.before(x) }] : []));
    const kept = made.map(({ x }) => ({ name: x, sql: x }));
    if (before.length > 0) chain.add('exponents', [...kept, ...before]);
    chain.add(
      'transformed',
      made.map(({ x, y, sql }) => ({ name: x, sql: sql ? sql.result(x, y) : x })),
    );
  }
  chain.add(
    'scaled',
    transforms.map((_, j) => ({ name: `f${j}`, sql: singleSql(`f${j}`, chain.dialect) })),
  );
}

function singleSql(x: string, dialect: Dialect): string {
  const toZero = dialect === 'postgres' ? `WHEN abs(${x}) <= ${double(UNDERFLOW)} THEN 0 ` : '';
  return `CASE ${toZero}WHEN abs(${x}) <= ${double(LARGEST_SINGLE)} THEN CAST(${x} AS FLOAT4) END`;
}

/** The columns a transform needs beforehand (each from the ones before it), and its result. */
interface TransformSql {
  /** Expressions that stand in a step of their own, since the result names them more than once. */
  before: ((x: string) => string) | null;
  /** @param y the column of `before` */
  result(x: string, y: string): string;
}

function transformSql(fitted: FittedTransform, dialect: Dialect): TransformSql {
  switch (fitted.kind) {
    case 'log1p':
      return { before: null, result: log1pSql };
    case 'winsorise':
      return {
        before: null,
        result: (x) => clampSql(x, double(fitted.lower), double(fitted.upper)),
      };
    case 'standard':
    case 'robust':
      return { before: null, result: (x) => scaleSql(x, fitted, dialect) };
    case 'yeo-johnson':
      return yeoJohnsonSql(fitted.lambda);
  }
}

function log1pSql(x: string): string {
  return `CASE WHEN ${x} > -1 THEN ln(1 + ${x}) + (${x} - ((1 + ${x}) - 1)) / (1 + ${x}) END`;
}

// LEAST and GREATEST would make a bound of NULL.
function clampSql(x: string, lower: string, upper: string): string {
  return `CASE WHEN ${x} < ${lower} THEN ${lower} WHEN ${x} > ${upper} THEN ${upper} ELSE ${x} END`;
}

function scaleSql(x: string, { center, scale }: { center: number; scale: number }, dialect: Dialect): string {
  if (dialect === 'duckdb') return `(${x} - ${double(center)}) / ${double(scale)}`;
  const bound = (side: number) => Math.max(-LARGEST, Math.min(LARGEST, center + side * FARTHEST * scale));
  const near = clampSql(x, double(bound(-1)), double(bound(1)));
  return `(${near} - ${double(center)}) / ${double(scale)}`;
}

function yeoJohnsonSql(lambda: number): TransformSql {
  const mirrored = 2 - lambda;
  const exponent = (x: string) => {
    const above = `${double(lambda || 1)} * (${log1pSql(x)})`;
    const below = `${double(mirrored || 1)} * (${log1pSql(`(-${x})`)})`;
    return `CASE WHEN ${x} >= 0 THEN ${above} ELSE ${below} END`;
  };
  const result = (x: string, y: string) => {
    const above = lambda === 0 ? y : `${expm1Sql(y)} / ${double(lambda)}`;
    const below = mirrored === 0 ? `-${y}` : `-${expm1Sql(y)} / ${double(mirrored)}`;
    return `CASE WHEN ${x} >= 0 THEN ${above} ELSE ${below} END`;
  };
  return { before: exponent, result };
}

function expm1Sql(y: string): string {
  const e = `exp(${y})`;
  return `(CASE WHEN ${y} > ${MOST_EXPONENT} THEN NULL WHEN ${y} < ${LEAST_EXPONENT} THEN -1 WHEN ${e} = 1 THEN ${y} ELSE (${e} - 1) * ${y} / ln(${e}) END)`;
}
