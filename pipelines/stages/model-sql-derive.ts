import type { DerivedFeature, ExpressionNode } from './derive-tree.ts';
import { double } from './model-sql-text.ts';

// Derived features in SQL, as far as both say the same: arithmetic on figures. In the pipeline a result that
// is not finite becomes what its null rule says, else 0. In SQL a division by 0 is NULL here, and so is all that is made of it: that is the
// same as long as nothing is divided by a quotient, which is why such expressions are not translated.

const OPERATORS = new Set(['+', '-', '*', '/']);
const FUNCTIONS = new Set(['abs', 'floor', 'ceil']);

/**
 * The feature as an SQL expression; null when it cannot be said with the same result.
 *
 * @param columnOf the SQL of an input, in double precision
 * @returns NULL where an input is NULL
 */
export function derivedSql(
  { tree, inputs, whenMissing = 0 }: DerivedFeature,
  columnOf: (feature: string) => string,
): string | null {
  const value = translate(tree, columnOf);
  if (value === null || inputs.length === 0) return null;
  const missing = inputs.map((input) => `${columnOf(input)} IS NULL`).join(' OR ');
  return `CASE WHEN ${missing} THEN NULL ELSE COALESCE(${value}, ${whenMissing === 0 ? '0' : double(whenMissing)}) END`;
}

function translate(node: ExpressionNode, columnOf: (feature: string) => string): string | null {
  switch (node.type) {
    case 'Column':
      return columnOf(node.name!);
    case 'Literal':
      return typeof node.value === 'number' ? double(node.value) : null;
    case 'UnaryExpression': {
      const argument = translate(node.argument!, columnOf);
      return argument !== null && node.operator === '-' ? `(-${argument})` : null;
    }
    case 'BinaryExpression':
      return translateBinary(node, columnOf);
    case 'CallExpression': {
      const { name } = node.callee!;
      const [argument, ...others] = node.arguments!.map((part) => translate(part, columnOf));
      const isKnown = FUNCTIONS.has(name ?? '') && argument != null && others.length === 0;
      return isKnown ? `${name}(${argument})` : null;
    }
    default:
      return null;
  }
}

function translateBinary(
  { left, operator, right }: ExpressionNode,
  columnOf: (feature: string) => string,
): string | null {
  if (!OPERATORS.has(operator!) || (operator === '/' && divides(right!))) return null;
  const [first, second] = [translate(left!, columnOf), translate(right!, columnOf)];
  if (first === null || second === null) return null;
  return operator === '/' ? `(${first} / NULLIF(${second}, 0))` : `(${first} ${operator} ${second})`;
}

function divides(node: ExpressionNode): boolean {
  const parts = [node.left, node.right, node.argument, ...(node.arguments ?? [])];
  return node.operator === '/' || parts.some((part) => part !== undefined && divides(part));
}
