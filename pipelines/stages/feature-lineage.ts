import { parse, table, walk_ast } from 'arquero';
import type { FeatureSettings } from '../contracts/definition.ts';
import { columnsNamed } from '../contracts/sql-columns.ts';
import { expressionFault } from './features.ts';

export interface FeatureLineage {
  /** Columns of the extract that it rests on, through other features too; by name. */
  columns: string[];
  /** Features that its own expression names; by name. */
  features: string[];
}

/** What aggregates see beside the extract's columns. */
const GIVEN = new Set(['as_of']);

/** Columns of an order that no line has, and what of the lines they are made of. */
const ORDER_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  lines: ['order_id'],
  products: ['category'],
  gap_days: ['ordered_at'],
  is_first_in_month: ['ordered_at'],
  order_number: ['ordered_at'],
};

/**
 * What each feature rests on: aggregates, derived features, then categories, in the definition's order.
 *
 * An aggregate rests on the columns that its SQL names outside texts and comments; one over orders on
 * `order_id` too, since orders are made by it. `amount` is a column of the extract like the others, whatever
 * the source made it of. A `count(*)` names none. A derived feature rests on all that those it names rest on.
 *
 * @throws PipelineError FEATURE_INVALID when an expression cannot be read, or names a feature not before it
 */
export function featureLineage(features: FeatureSettings): Map<string, FeatureLineage> {
  const lineage = new Map<string, FeatureLineage>();
  for (const aggregate of features.aggregate) lineage.set(aggregate.name, ofAggregate(aggregate));
  for (const { name, expression } of features.derive) {
    const inputs = inputsOf(name, expression, [...lineage.keys()]);
    const columns = inputs.flatMap((input) => lineage.get(input)!.columns);
    lineage.set(name, { columns: sorted(columns), features: sorted(inputs) });
  }
  for (const category of features.categories ?? []) lineage.set(category.name, ofAggregate(category));
  return lineage;
}

function ofAggregate({ sql, over }: { sql: string; over?: 'lines' | 'orders' | undefined }): FeatureLineage {
  const named = columnsNamed(sql).filter((name) => !GIVEN.has(name));
  const columns =
    over === 'orders' ? ['order_id', ...named.flatMap((name) => ORDER_COLUMNS[name] ?? [name])] : named;
  return { columns: sorted(columns), features: [] };
}

function inputsOf(name: string, expression: string, known: readonly string[]): string[] {
  const template = table(Object.fromEntries(known.map((feature) => [feature, [0]])));
  const inputs: string[] = [];
  try {
    const tree = parse({ [name]: expression }, { table: template, ast: true }).exprs[0];
    walk_ast(tree, null, { Column: (node: { name: string }) => void inputs.push(node.name) }, null);
  } catch (cause) {
    throw expressionFault({ name, expression }, known, cause);
  }
  return inputs;
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
