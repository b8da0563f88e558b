import type { RuleColumn } from './odcs-columns.ts';
import { isClosed, isPlain, refusedSql } from './sql-refused.ts';
import { type SqlToken, sqlTokens } from './sql-tokens.ts';

// A check of `type: sql` counts rows. Strata has to know which rows those are, so that it can keep them out and
// show them: it takes the one form in which they can be told, and every other tool counts the same rows.

const OBJECT = /^\$?\{(object|table|model)\}/;
/** With the quotes that one may have put around it, since what stands for it has some of its own. */
const PROPERTY = /"\$?\{(?:property|column|field)\}"|\$?\{(?:property|column|field)\}/g;
const FORM = 'SELECT COUNT(*) FROM {object} WHERE <condition of a broken row>';

const CLAUSES = new Set(
  'select from where group having order limit offset union intersect except window qualify over with'.split(
    ' ',
  ),
);
const AGGREGATES = new Set(
  'count sum avg min max median any_value arg_min arg_max bool_and bool_or first last list string_agg stddev variance'.split(
    ' ',
  ),
);

/**
 * The condition of a broken row in a query of the form {@link FORM}.
 *
 * @param names what may stand in place of {object}: the table by its name or its physicalName
 * @param property what stands for {property}; null in a check of a whole table
 * @returns the condition, and what is said of it, without quotes around {property}; or what is needed, in words
 */
export function conditionOf(
  query: string,
  { names, property }: { names: readonly string[]; property: Pick<RuleColumn, 'name' | 'sql'> | null },
): { condition: string; said: string } | { needed: string } {
  const text = query.trim().replace(/;\s*$/, '');
  const head = /^select\s+count\s*\(\s*(?:\*|1)\s*\)\s+from\s+/i.exec(text);
  if (!head) return { needed: `a query of the form ${FORM}` };
  const rest = text.slice(head[0].length);
  const object =
    OBJECT.exec(rest)?.[0] ??
    names.find(
      (name) => rest.toLowerCase().startsWith(name.toLowerCase()) && /^\s/.test(rest.slice(name.length)),
    );
  if (object === undefined) return { needed: `{object} behind FROM, in a query of the form ${FORM}` };
  const where = /^\s+where\s+/i.exec(rest.slice(object.length));
  if (!where) return { needed: `WHERE straight behind {object}, without another name for it: ${FORM}` };
  const condition = rest.slice(object.length + where[0].length).trim();
  if (property === null && condition.search(PROPERTY) >= 0) {
    return { needed: 'a column by its name: {property} means something in a check of a property alone' };
  }
  const filled = condition.replace(PROPERTY, property?.sql ?? '');
  const needed = neededOf(filled);
  if (needed !== null) return { needed };
  return { condition: filled, said: condition.replace(PROPERTY, property?.name ?? '').replace(/\s+/g, ' ') };
}

function neededOf(condition: string): string | null {
  if (sqlTokens(condition).some(({ kind, text }) => kind === 'sign' && /^[{}$;]$/.test(text))) {
    return 'one condition, with {object} behind FROM and {property} alone for the names';
  }
  const refused = refusedSql(condition);
  return conditionNeeds(condition) ?? (refused === null ? null : `a condition without ${refused}`);
}

/** What SQL lacks, in words, to be a condition on one row that may stand in brackets; null: nothing. */
export function conditionNeeds(condition: string): string | null {
  const tokens = sqlTokens(condition);
  if (tokens.length === 0) return 'a condition behind WHERE';
  if (tokens.some((token) => isSign(token, ';'))) return 'one condition, without ;';
  const clause = tokens.find(
    ({ kind, text }, i) => kind === 'name' && CLAUSES.has(text) && !isPlain(tokens, i),
  );
  if (clause) return `a condition on one row, without ${clause.text.toUpperCase()}`;
  const aggregate = tokens.find(
    ({ kind, text }, i) => kind === 'name' && AGGREGATES.has(text) && isSign(tokens[i + 1], '('),
  );
  if (aggregate) return `a condition on one row, without ${aggregate.text.toUpperCase()}(…) over several`;
  return isClosed(condition) ? null : 'brackets that open and close';
}

function isSign(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === 'sign' && token.text === text;
}
