import type { Rule, RuleAbout, Severity } from './contract.ts';
import type { Fault, OdcsProperty } from './odcs.ts';
import type { RuleColumn } from './odcs-columns.ts';
import { FORMATS, integerRange, literal, NEEDED, re2Pattern } from './odcs-literals.ts';
import { quoteText } from './sql-quote.ts';

// The checks that a property's own keys make: required, its type, its options. None of them but `required`
// minds a missing value.

export interface DraftRule {
  name: string;
  /** Whether the name was made up here, so that a number may be added to it. */
  isDerived: boolean;
  check: string;
  reason: string;
  about: RuleAbout;
  severity: Severity;
  limit?: Rule['limit'];
}

export interface Reporting {
  path: Fault['path'];
  faults: Fault[];
  notChecked: string[];
}

type Draft = Pick<DraftRule, 'check' | 'reason'> & {
  ending: string;
  kind: RuleAbout['kind'];
  value?: unknown;
};

export function requiredDraft({ name, sql }: Pick<RuleColumn, 'name' | 'sql'>): Draft {
  return { ending: 'missing', kind: 'required', check: `${sql} IS NOT NULL`, reason: `${name} is missing` };
}

/** The type, where the extract's own does not make sure of it, and the options. */
export function optionDrafts(property: OdcsProperty, column: RuleColumn, report: Reporting): Draft[] {
  const { logicalType = '', logicalTypeOptions = {} } = property;
  const drafts: Draft[] = typeDraft(column, logicalType);
  for (const [option, value] of Object.entries(logicalTypeOptions)) {
    const at = { ...report, path: [...report.path, 'logicalTypeOptions', option] };
    const draft = optionDraft({ option, value, logicalType, column }, at);
    if (draft) drafts.push(draft);
  }
  return drafts;
}

function typeDraft({ name, sql, kind, value, mayDiffer }: RuleColumn, logicalType: string): Draft[] {
  if (!mayDiffer) return [];
  const isRight = kind === 'whole' ? `${value} = trunc(${value})` : `${value} IS NOT NULL`;
  return [
    {
      ending: `not-${logicalType}`,
      kind: 'type',
      value: logicalType,
      check: `${sql} IS NULL OR ${isRight}`,
      reason: `${name} is not ${/^[aeiou]/.test(logicalType) ? 'an' : 'a'} ${logicalType}`,
    },
  ];
}

interface Option {
  option: string;
  value: unknown;
  logicalType: string;
  column: RuleColumn;
}

const BOUNDS = {
  minimum: ['>=', 'below-minimum', 'is below'],
  exclusiveMinimum: ['>', 'not-above-minimum', 'is not above'],
  maximum: ['<=', 'above-maximum', 'is above'],
  exclusiveMaximum: ['<', 'not-below-maximum', 'is not below'],
} as const;

function optionDraft(given: Option, report: Reporting): Draft | null {
  const { option, logicalType, column } = given;
  const allowed = OPTIONS[logicalType];
  if (!allowed?.includes(option)) {
    const needed = allowed
      ? `needs one of ${allowed.join(', ')} for ${logicalType}`
      : 'needs a logicalType beside it, which says what the options mean';
    report.faults.push({ path: report.path, message: `${needed}, found ${option}` });
    return null;
  }
  if (option in BOUNDS) return boundDraft(given, report);
  switch (option) {
    case 'multipleOf':
      return multipleDraft(given, report);
    case 'minLength':
    case 'maxLength':
      return lengthDraft(given, report);
    case 'pattern':
      return patternDraft(column, given.value, report);
    case 'format':
      return formatDraft(given, report);
    default:
      report.notChecked.push(
        `${column.name}: ${option}: the times of an extract have no zone, source.timezone of pipeline.yaml says whose clock they show`,
      );
      return null;
  }
}

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  integer: [...Object.keys(BOUNDS), 'multipleOf', 'format'],
  number: [...Object.keys(BOUNDS), 'multipleOf', 'format'],
  date: [...Object.keys(BOUNDS), 'format'],
  timestamp: [...Object.keys(BOUNDS), 'format', 'timezone', 'defaultTimezone'],
  boolean: [],
};

function boundDraft({ option, value, column }: Option, { path, faults }: Reporting): Draft | null {
  const [operator, ending, words] = BOUNDS[option as keyof typeof BOUNDS];
  const bound = literal(value, column.kind);
  if (bound === null) {
    faults.push({ path, message: `needs ${NEEDED[column.kind]}` });
    return null;
  }
  return {
    ending,
    kind: option as keyof typeof BOUNDS,
    value,
    check: orMissing(column, `${column.value} ${operator} ${bound}`),
    reason: `${column.name} ${words} ${String(value)}`,
  };
}

/** What DECIMAL(38,10) tells apart. */
const LEAST_STEP = 1e-10;

function multipleDraft({ value, column }: Option, { path, faults }: Reporting): Draft | null {
  if (typeof value !== 'number' || value < LEAST_STEP) {
    faults.push({ path, message: `needs a number from ${LEAST_STEP}` });
    return null;
  }
  // As decimals: of binary fractions 0.3 is not three times 0.1.
  const exact = (number: string) => `TRY_CAST(${number} AS DECIMAL(38,10))`;
  return {
    ending: 'not-a-multiple',
    kind: 'multipleOf',
    value,
    check: orMissing(column, `${exact(column.value)} % ${exact(String(value))} = 0`),
    reason: `${column.name} is not a multiple of ${value}`,
  };
}

function lengthDraft({ option, value, column }: Option, { path, faults }: Reporting): Draft | null {
  if (!Number.isSafeInteger(value) || Number(value) < 0) {
    faults.push({ path, message: 'needs a whole number from 0' });
    return null;
  }
  const isLeast = option === 'minLength';
  return {
    ending: isLeast ? 'too-short' : 'too-long',
    kind: isLeast ? 'minLength' : 'maxLength',
    value,
    check: orMissing(column, `length(${column.value}) ${isLeast ? '>=' : '<='} ${value}`),
    reason: `${column.name} has ${isLeast ? 'fewer' : 'more'} than ${value} characters`,
  };
}

/** @param value the pattern, as the contract has it */
export function patternDraft(column: RuleColumn, value: unknown, { path, faults }: Reporting): Draft | null {
  const read = typeof value === 'string' ? re2Pattern(value) : { needed: 'a regular expression' };
  if ('needed' in read) {
    faults.push({ path, message: `needs ${read.needed}` });
    return null;
  }
  return {
    ending: 'pattern',
    kind: 'pattern',
    value,
    check: orMissing(column, matchSql(`CAST(${column.sql} AS VARCHAR)`, read.pattern)),
    reason: `${column.name} does not match the pattern of the contract`,
  };
}

/** `^` and `$` around it all, without alternatives that they would bind to and flags that change what they mean. */
const ANCHORED = /^\^((?:[^|\\(]|\\.|\((?!\?))*)\$$/s;

/** Anchored at both ends it is a match of the whole text, which DuckDB does in half the time. */
function matchSql(text: string, pattern: string): string {
  const whole = ANCHORED.exec(pattern)?.[1];
  return whole === undefined
    ? `regexp_matches(${text}, ${quoteText(pattern)})`
    : `regexp_full_match(${text}, ${quoteText(whole)})`;
}

function formatDraft({ value, logicalType, column }: Option, report: Reporting): Draft | null {
  const { path, faults, notChecked } = report;
  const draft = { ending: `not-${value}`, kind: 'format' as const, value };
  if (column.kind === 'time') {
    notChecked.push(
      `${column.name}: format: how the source writes times stands in source.format.times of pipeline.yaml; one that cannot be read is refused by rule unreadable`,
    );
    return null;
  }
  if (logicalType === 'string' && typeof value === 'string' && Object.hasOwn(FORMATS, value)) {
    const check = `regexp_full_match(${column.value}, ${quoteText(FORMATS[value]!)})`;
    return {
      ...draft,
      check: orMissing(column, check),
      reason: `${column.name} is not of the format ${value}`,
    };
  }
  const range = logicalType === 'integer' && typeof value === 'string' ? integerRange(value) : null;
  if (range) {
    const check = `${column.value} >= ${range[0]} AND ${column.value} <= ${range[1]}`;
    return { ...draft, check: orMissing(column, check), reason: `${column.name} does not fit into ${value}` };
  }
  // Every number of an extract fits into a double.
  if (logicalType === 'number' && (value === 'f64' || value === 'f32')) return null;
  const known =
    logicalType === 'string'
      ? Object.keys(FORMATS)
      : logicalType === 'integer'
        ? ['i8 to i128', 'u8 to u128']
        : ['f32', 'f64'];
  faults.push({ path, message: `needs a format that can be checked (${known.join(', ')})` });
  return null;
}

export function orMissing({ sql, value, mayDiffer }: RuleColumn, check: string): string {
  // A value of another kind breaks the rule of the type, and no other.
  return `${mayDiffer ? value : sql} IS NULL OR ${check}`;
}
