import { parse, table, walk_ast } from 'arquero';
import { atOnce, inTurns } from '../../numeric/kernels/turn.ts';
import type { FeatureSettings } from '../contracts/definition.ts';
import { PipelineError } from '../contracts/errors.ts';

// Derived features are Arquero expressions. They are compiled by Arquero and then called row by row on
// the columns themselves, so that a million customers and one customer in a request go through the same
// function and get the same bits. What depends on other rows, on chance or on the clock is refused.

export type Columns = Record<string, Float64Array>;

type Derived = FeatureSettings['derive'][number];
type RowExpression = (row: number, data: Columns) => unknown;

interface CompiledFeature {
  name: string;
  expression: string;
  at: RowExpression;
}

/** Rows that are evaluated between two turns of the event loop. */
const BLOCK_ROWS = 65_536;

export interface FeatureColumns {
  columns: Columns;
  /** Features that had no finite value for some customers, and what stands there now. */
  replaced: { feature: string; customers: number; by: number }[];
}

/** What stands for a customer without a finite value, by feature; 0 for those not named. */
export type WhenMissing = Readonly<Record<string, number | undefined>>;

/** The null rules of a definition's features. */
export function whenMissingOf(
  features: readonly { name: string; whenMissing?: number | undefined }[],
): Record<string, number> {
  return Object.fromEntries(
    features.flatMap(({ name, whenMissing }) => (whenMissing === undefined ? [] : [[name, whenMissing]])),
  );
}

/** Functions of one row, the same on every machine. */
const FUNCTIONS = new Set(
  'abs cbrt ceil exp expm1 floor greatest is_finite is_nan least log log10 log1p log2 pow round sign sqrt trunc'.split(
    ' ',
  ),
);

const CONSTRUCTS = new Set([
  'BinaryExpression',
  'LogicalExpression',
  'UnaryExpression',
  'ConditionalExpression',
  'CallExpression',
  'Column',
  'Constant',
  'Function',
  'Literal',
]);

/**
 * Customer-level features: the aggregates, then each derived feature in the definition's order, which may
 * use those before it.
 *
 * A value that is missing (NULL, NaN) or infinite (a division by zero) becomes what the feature's null rule
 * says, else 0, in aggregates too and before anything is derived from it; how many customers this touched is
 * returned, never hidden. A feature without one finite value is refused, unless it has a rule.
 *
 * @param aggregates one column per aggregate, shape (n,) each; unchanged, and shared where nothing is replaced
 * @param whenMissing null rules of the aggregates; derived features bring their own
 * @throws PipelineError FEATURE_INVALID naming the feature, its expression and the features there are
 */
export function deriveColumns(
  aggregates: Columns,
  derive: readonly Derived[],
  whenMissing: WhenMissing = {},
): FeatureColumns {
  return atOnce(deriving(aggregates, derive, { whenMissing, isPart: false }));
}

/**
 * {@link deriveColumns} with turns of the event loop between columns and between blocks of rows; the same bits.
 *
 * @param onTurn called at each turn; what it throws ends the work
 * @param isPart of customers who are some of all: a feature without a value among them may have one among the others
 */
export function deriveColumnsInTurns(
  aggregates: Columns,
  derive: readonly Derived[],
  {
    whenMissing = {},
    onTurn,
    isPart = false,
  }: { whenMissing?: WhenMissing; onTurn?: () => void; isPart?: boolean } = {},
): Promise<FeatureColumns> {
  return inTurns(deriving(aggregates, derive, { whenMissing, isPart }), onTurn);
}

/**
 * Refuses a feature that no customer has a value for, of customers whose parts were derived one by one.
 *
 * @throws PipelineError FEATURE_INVALID as {@link deriveColumns}
 */
export function refuseValueless(
  { columns, replaced }: FeatureColumns,
  { aggregate, derive }: Pick<FeatureSettings, 'aggregate' | 'derive'>,
): void {
  const rules = whenMissingOf([...aggregate, ...derive]);
  for (const { feature, customers } of replaced) {
    if (customers < columns[feature]!.length || rules[feature] !== undefined) continue;
    const expression = derive.find(({ name }) => name === feature)?.expression;
    throw withoutValue(feature, { expression, customers });
  }
}

function* deriving(
  aggregates: Columns,
  derive: readonly Derived[],
  { whenMissing, isPart }: { whenMissing: WhenMissing; isPart: boolean },
): Generator<void, FeatureColumns> {
  const columns: Columns = {};
  const replaced: FeatureColumns['replaced'] = [];
  const rules = { ...whenMissing, ...whenMissingOf(derive) };
  const keep = (feature: string, values: Float64Array, expression?: string) => {
    const customers = countNonFinite(values);
    const by = rules[feature] ?? 0;
    if (!isPart && customers > 0 && customers === values.length && rules[feature] === undefined)
      throw withoutValue(feature, { expression, customers });
    if (customers > 0) replaced.push({ feature, customers, by });
    columns[feature] = customers > 0 ? values.map((value) => finiteOr(value, by)) : values;
  };
  for (const [feature, values] of Object.entries(aggregates)) {
    keep(feature, values);
    yield;
  }
  for (const feature of compileDerived(Object.keys(aggregates), derive)) {
    const values = new Float64Array(Object.values(columns)[0]?.length ?? 0);
    for (let from = 0; from < values.length; from += BLOCK_ROWS) {
      evaluate(feature, columns, values.subarray(from, from + BLOCK_ROWS), from);
      yield;
    }
    keep(feature.name, values, feature.expression);
  }
  return { columns, replaced };
}

/**
 * The same features for one customer: what a request has.
 *
 * @param aggregates the customer's aggregates by name
 * @returns aggregates and derived features, bit for bit what {@link deriveColumns} gives in a batch
 */
export function deriveOne(
  aggregates: Record<string, number>,
  derive: readonly Derived[],
  whenMissing: WhenMissing = {},
): Record<string, number> {
  const row: Columns = {};
  const rules = { ...whenMissing, ...whenMissingOf(derive) };
  const keep = (feature: string, value: number) => {
    row[feature] = Float64Array.of(finiteOr(value, rules[feature] ?? 0));
  };
  for (const [feature, value] of Object.entries(aggregates)) keep(feature, value);
  for (const feature of compileDerived(Object.keys(aggregates), derive)) {
    const value = new Float64Array(1);
    evaluate(feature, row, value, 0);
    keep(feature.name, value[0]!);
  }
  return Object.fromEntries(Object.entries(row).map(([feature, values]) => [feature, values[0]!]));
}

function compileDerived(aggregates: readonly string[], derive: readonly Derived[]): CompiledFeature[] {
  const known = [...aggregates];
  return derive.map((feature) => {
    const compiled = compile(feature, known);
    known.push(feature.name);
    return compiled;
  });
}

function compile({ name, expression }: Derived, known: readonly string[]): CompiledFeature {
  const template = table(Object.fromEntries(known.map((feature) => [feature, [0]])));
  try {
    const tree = parse({ [name]: expression }, { table: template, ast: true }).exprs[0];
    walk_ast(tree, null, { Default: refuseOtherConstructs }, null);
    const at: RowExpression = parse({ [name]: expression }, { table: template }).exprs[0];
    return { name, expression, at };
  } catch (cause) {
    throw expressionFault({ name, expression }, known, cause);
  }
}

/** What is told of an expression that Arquero or the rules above refuse: which, why, and what it may name. */
export function expressionFault(
  { name, expression }: Pick<Derived, 'name' | 'expression'>,
  known: readonly string[],
  cause: unknown,
): PipelineError {
  const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
  return new PipelineError(
    'FEATURE_INVALID',
    `feature ${name} (${expression}): ${why}; there are d.${known.join(', d.')}`,
    { feature: name, expression },
    { cause },
  );
}

function refuseOtherConstructs(node: { type: string; name?: string; value?: unknown }): void {
  if (!CONSTRUCTS.has(node.type)) {
    throw new RangeError(`needs an expression of one customer's figures, found ${node.type}`);
  }
  if (node.type === 'Function' && !FUNCTIONS.has(node.name ?? '')) {
    throw new RangeError(`needs one of ${[...FUNCTIONS].join(', ')}, found ${node.name}`);
  }
}

/** The feature of the rows from `from` on, as many as `values` has room for. */
function evaluate(
  { name, expression, at }: CompiledFeature,
  columns: Columns,
  values: Float64Array,
  from: number,
): void {
  for (let row = 0; row < values.length; row++) {
    const value = at(from + row, columns);
    if (typeof value === 'string') {
      throw new PipelineError(
        'FEATURE_INVALID',
        `feature ${name} (${expression}) needs to give a number, found text`,
        {
          feature: name,
          expression,
        },
      );
    }
    values[row] = value == null ? Number.NaN : Number(value);
  }
}

function countNonFinite(values: Float64Array): number {
  let count = 0;
  for (let row = 0; row < values.length; row++) if (!Number.isFinite(values[row])) count++;
  return count;
}

function withoutValue(
  feature: string,
  found: { expression?: string | undefined; customers: number },
): PipelineError {
  const source = found.expression ? ` (${found.expression})` : '';
  return new PipelineError(
    'FEATURE_INVALID',
    `feature ${feature}${source} needs a finite value for at least one customer, or whenMissing to say what stands for none, found none among ${found.customers}`,
    { feature, customers: found.customers },
  );
}

function finiteOr(value: number, otherwise: number): number {
  return Number.isFinite(value) ? value : otherwise;
}
