import { parse, table, walk_ast } from 'arquero';
import type { Model } from './model.ts';

/** A node of a derived feature's syntax tree, as Arquero gives it. */
export interface ExpressionNode {
  type: string;
  name?: string;
  operator?: string;
  value?: unknown;
  left?: ExpressionNode;
  right?: ExpressionNode;
  argument?: ExpressionNode;
  callee?: ExpressionNode;
  arguments?: ExpressionNode[];
}

export interface DerivedFeature {
  name: string;
  expression: string;
  tree: ExpressionNode;
  /** Features the expression names, each once. */
  inputs: string[];
  /** The value at a row of the columns, before the rule that what is not finite becomes 0. */
  at(row: number, columns: Readonly<Record<string, Float64Array>>): unknown;
}

/**
 * The derived features of a model that the clustered ones rest on, in the model's order.
 *
 * @param given features that are there already and need not be derived
 */
export function derivedFor(
  { features, transforms }: Model,
  given: ReadonlySet<string> = new Set(),
): DerivedFeature[] {
  const known = features.aggregate.map(({ name }) => name);
  const derived = features.derive.map(({ name, expression }) => {
    const feature = parseDerived({ name, expression }, known);
    known.push(name);
    return feature;
  });
  const needed = new Set(transforms.map(({ feature }) => feature));
  for (const { name, inputs } of derived.toReversed()) {
    if (needed.has(name) && !given.has(name)) for (const input of inputs) needed.add(input);
  }
  return derived.filter(({ name }) => needed.has(name) && !given.has(name));
}

function parseDerived(
  { name, expression }: { name: string; expression: string },
  known: readonly string[],
): DerivedFeature {
  const template = table(Object.fromEntries(known.map((feature) => [feature, [0]])));
  const tree = parse({ [name]: expression }, { table: template, ast: true }).exprs[0];
  const inputs = new Set<string>();
  walk_ast(tree, null, { Column: (node: ExpressionNode) => void inputs.add(node.name!) }, null);
  const at = parse({ [name]: expression }, { table: template }).exprs[0];
  return { name, expression, tree, inputs: [...inputs], at };
}
