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
  /** What stands for a value that is not finite; absent: 0. */
  whenMissing: number | undefined;
  /** The value at a row of the columns, before its null rule. */
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
  const derived = features.derive.map(({ name, expression, whenMissing }) => {
    const feature = { ...parseDerived({ name, expression }, known), whenMissing };
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
): Omit<DerivedFeature, 'whenMissing'> {
  const template = table(Object.fromEntries(known.map((feature) => [feature, [0]])));
  const tree = parse({ [name]: expression }, { table: template, ast: true }).exprs[0];
  const inputs = new Set<string>();
  walk_ast(tree, null, { Column: (node: ExpressionNode) => void inputs.add(node.name!) }, null);
  const at = parse({ [name]: expression }, { table: template }).exprs[0];
  return { name, expression, tree, inputs: [...inputs], at };
}
