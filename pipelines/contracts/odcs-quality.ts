import { type Operator, UNREADABLE_LINE, type Volume } from './contract.ts';
import type { Fault, OdcsQuality, OdcsTable } from './odcs.ts';
import type { RuleColumn } from './odcs-columns.ts';
import { conditionOf } from './odcs-condition.ts';
import { limitOf, operatorOf, severityOf, unitOf } from './odcs-limits.ts';
import { literal, NEEDED } from './odcs-literals.ts';
import { type DraftRule, orMissing, patternDraft, type Reporting, requiredDraft } from './odcs-rules.ts';
import { columnsNamed } from './sql-columns.ts';

/** Where a check stands and what it is about. */
export interface Checked {
  quality: OdcsQuality;
  table: OdcsTable;
  /** Null in a check of the whole table. */
  column: RuleColumn | null;
}

/** What a check became: a rule for rows, a rule with a key for duplicates, or a number of rows. */
export type Compiled = { rule: DraftRule; key?: string[] } | { volume: Volume } | null;

/** One item of `quality`; null for documentation, for what another tool has to check, and where a fault was found. */
export function compileQuality(checked: Checked, report: Reporting): Compiled {
  const { quality } = checked;
  const kind =
    quality.type ?? (quality.query !== undefined && quality.metric === undefined ? 'sql' : 'library');
  if (kind === 'text') return null;
  if (kind === 'custom') return custom(checked, report);
  if (kind === 'sql') {
    if (quality.metric === undefined) return condition(checked, report);
    return fault(report, [], 'needs metric or query, not both');
  }
  if (quality.query !== undefined) return fault(report, ['query'], 'needs type: sql beside it');
  return library(checked, report);
}

function custom({ quality, table, column }: Checked, report: Reporting): null {
  const { engine, implementation } = quality;
  if (engine === undefined || implementation === undefined) {
    return fault(report, [], 'needs engine and implementation beside type: custom');
  }
  const name = quality.name ?? quality.id ?? quality.description;
  report.notChecked.push(
    `${column?.name ?? table.name}:${name === undefined ? '' : ` ${name}:`} a check of ${engine}, which Strata does not run`,
  );
  return null;
}

function library(checked: Checked, report: Reporting): Compiled {
  const { quality, column } = checked;
  switch (quality.metric) {
    case undefined:
      return fault(report, [], 'needs metric, or type: text, sql or custom');
    case 'rowCount':
      return column === null
        ? volume(checked, report)
        : fault(report, ['metric'], 'needs to stand in the quality of the table, not of a property');
    case 'duplicateValues':
      return duplicates(checked, report);
    default:
      if (column === null) return fault(report, ['metric'], 'needs to stand in the quality of a property');
      return values(checked, column, report);
  }
}

function values(checked: Checked, column: RuleColumn, report: Reporting): Compiled {
  const { metric, arguments: given = {} } = checked.quality;
  const draft =
    metric === 'nullValues'
      ? requiredDraft(column)
      : metric === 'missingValues'
        ? missingDraft(column, given.missingValues, report)
        : invalidDraft(column, given, report);
  if (draft === null) return null;
  const { kind, value, ...rest } = draft;
  const about = { kind, columns: [column.name], ...(value === undefined ? {} : { value }) };
  return { rule: ruled(checked, report, { ...rest, about }) };
}

type Draft = ReturnType<typeof requiredDraft>;

function missingDraft(
  column: RuleColumn,
  values: readonly unknown[] | undefined,
  report: Reporting,
): Draft | null {
  if (values === undefined || values.length === 0) {
    return fault(report, ['arguments', 'missingValues'], `needs a list such as [null, '', 'N/A']`);
  }
  // Blank text is NULL in an extract; a text that stands for nothing cannot be in a column of numbers.
  const isNull = values.some((value) => value === null || value === '');
  const literals = values.flatMap((value) => (value === null ? [] : (literal(value, column.kind) ?? [])));
  const parts = [
    ...(isNull ? [`${column.sql} IS NOT NULL`] : []),
    ...(literals.length > 0
      ? [`(${column.value} IS NULL OR ${column.value} NOT IN (${literals.join(', ')}))`]
      : []),
  ];
  return {
    ending: 'missing-values',
    kind: 'missing',
    value: values,
    check: parts.length === 0 ? 'true' : parts.join(' AND '),
    reason: `${column.name} has a value that stands for none`,
  };
}

const LISTED = 5;

function invalidDraft(
  column: RuleColumn,
  { validValues, pattern }: NonNullable<OdcsQuality['arguments']>,
  report: Reporting,
): Draft | null {
  if (validValues === undefined && pattern === undefined) {
    return fault(report, ['arguments'], 'needs validValues or pattern');
  }
  const at = (key: string) => ({ ...report, path: [...report.path, 'arguments', key] });
  const matches = pattern === undefined ? null : patternDraft(column, pattern, at('pattern'));
  if (validValues === undefined) return matches && { ...matches, ending: 'invalid' };
  const literals = validValues.map((value) => (value === null ? 'NULL' : literal(value, column.kind)));
  if (literals.length === 0 || literals.includes(null)) {
    return fault(report, ['arguments', 'validValues'], `needs a list, each of it ${NEEDED[column.kind]}`);
  }
  const known = literals.filter((text) => text !== 'NULL');
  const isIn = orMissing(column, known.length === 0 ? 'false' : `${column.value} IN (${known.join(', ')})`);
  const told = validValues
    .filter((value) => value !== null)
    .slice(0, LISTED)
    .map(String);
  const more = known.length > LISTED ? ' …' : '';
  return {
    ending: 'invalid',
    kind: 'values',
    value: pattern === undefined ? validValues : { validValues, pattern },
    check: matches === null ? isIn : `(${isIn}) AND (${matches.check})`,
    reason: `${column.name} is not one of ${told.join(', ')}${more}`,
  };
}

function duplicates(checked: Checked, report: Reporting): Compiled {
  const { quality, column, table } = checked;
  const properties = quality.arguments?.properties;
  if ((column === null) === (properties === undefined)) {
    return fault(
      report,
      ['arguments', 'properties'],
      column === null ? 'needs the names of properties' : 'needs to stand in the quality of the table',
    );
  }
  const unknown = properties?.find((name) => !table.properties.some((property) => property.name === name));
  if (unknown !== undefined) {
    return fault(report, ['arguments', 'properties'], `needs properties of ${table.name}, found ${unknown}`);
  }
  const key = properties ?? [column!.name];
  return { key, rule: ruled(checked, report, duplicateDraft(key)) };
}

type Ruling = Pick<DraftRule, 'check' | 'reason' | 'about'> & { ending: string };

export function duplicateDraft(key: readonly string[]): Ruling {
  return {
    ending: 'duplicate',
    check: 'NOT is_duplicate',
    reason: `a row with the same ${key.join(' and ')} came before`,
    about: { kind: 'unique', columns: [...key], value: key.toSorted() },
  };
}

function condition(checked: Checked, report: Reporting): Compiled {
  const { quality, table, column } = checked;
  if (quality.query === undefined) return fault(report, [], 'needs query beside type: sql');
  const names = [table.name, ...(table.physicalName === undefined ? [] : [table.physicalName])];
  const read = conditionOf(quality.query, { names, property: column });
  if ('needed' in read) return fault(report, ['query'], `needs ${read.needed}`);
  // Whether a row is broken has to be known: where the condition is NULL it is not.
  const check = `(${read.condition}\n) IS NOT TRUE`;
  const columns = columnsNamed(read.condition);
  const about = { kind: 'condition' as const, columns, value: read.said };
  const reason = `${read.said}, which the contract calls broken`;
  return { rule: ruled(checked, report, { ending: 'condition', check, reason, about }) };
}

function ruled({ quality, table, column }: Checked, report: Reporting, draft: Ruling): DraftRule {
  const { ending, ...rest } = draft;
  const { path, faults } = report;
  const severity = severityOf(quality.severity, { path: [...path, 'severity'], faults });
  const limit = limitOf(quality, severity, report);
  const named = nameOf(quality, report);
  const derived = ending === 'duplicate' ? ending : `${column?.name ?? table.name}-${ending}`;
  return {
    ...rest,
    name: named ?? derived,
    isDerived: named === null,
    reason: reasonOf(quality.description) ?? rest.reason,
    severity,
    ...(limit && { limit }),
  };
}

function nameOf({ name, id }: OdcsQuality, report: Reporting): string | null {
  const given = name ?? id;
  if (given === undefined) return null;
  const slug = given
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  if (slug !== '' && slug !== UNREADABLE_LINE.name && slug.length <= 63) return slug;
  return fault(
    report,
    [name === undefined ? 'id' : 'name'],
    'needs 1 to 63 letters, digits and dashes of its own',
  );
}

/** As a half sentence, since reports go on behind it. */
export function reasonOf(description: string | undefined): string | null {
  const text = description?.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
  return text ? text : null;
}

function volume({ quality, table }: Checked, report: Reporting): Compiled {
  const operator: Operator | null = operatorOf(quality, report);
  if (operator === null) return null;
  if (unitOf(quality, report) === 'percent') return fault(report, ['unit'], 'needs rows');
  const { path, faults } = report;
  const severity = severityOf(quality.severity, { path: [...path, 'severity'], faults });
  return {
    volume: {
      name: nameOf(quality, report) ?? `${table.name}-rows`,
      operator,
      value: quality[operator]!,
      severity: severity === 'warn' ? 'warn' : 'fail',
    },
  };
}

function fault({ path, faults }: Reporting, deeper: Fault['path'], message: string): null {
  faults.push({ path: [...path, ...deeper], message });
  return null;
}
