import type { ContractColumn } from './contract.ts';
import type { OdcsProperty } from './odcs.ts';
import { ATTRIBUTE_TYPES, type Attributes, CANONICAL_COLUMNS, OPTIONAL_COLUMNS } from './source.ts';

// What a column of the extract is, since a rule's SQL depends on it: 5 is a number in one and a text in another.

export type ColumnKind = 'text' | 'whole' | 'number' | 'time' | 'boolean';

export interface RuleColumn {
  name: string;
  /** The column in SQL. Quoted: an attribute may be called `group` or `end`. */
  sql: string;
  kind: ColumnKind;
  /** The value to compare, of that kind; NULL where the column has none or another kind of value. */
  value: string;
  /** Whether the column may hold another kind of value, which `value` then hides. */
  mayDiffer: boolean;
}

const KINDS: Readonly<Record<string, ColumnKind>> = {
  VARCHAR: 'text',
  BIGINT: 'whole',
  'DECIMAL(18,4)': 'number',
  DOUBLE: 'number',
  TIMESTAMP: 'time',
  BOOLEAN: 'boolean',
};

const CANONICAL: Readonly<Record<string, string>> = {
  ...CANONICAL_COLUMNS,
  ...OPTIONAL_COLUMNS,
  amount: OPTIONAL_COLUMNS.unit_price,
};

/** Kind of value that each logical type is compared as. */
const LOGICAL: Readonly<Record<NonNullable<OdcsProperty['logicalType']>, ColumnKind | null>> = {
  string: 'text',
  integer: 'whole',
  number: 'number',
  timestamp: 'time',
  date: 'time',
  boolean: 'boolean',
  time: null,
  object: null,
  array: null,
};

/**
 * The column that a property describes, as its rules see it.
 *
 * @param attributes of the source, where it is known; else an attribute is what its logicalType says
 * @returns or a text saying which types were possible
 */
export function ruleColumn(
  { name, logicalType }: OdcsProperty,
  attributes: Attributes | undefined,
): RuleColumn | string {
  const wanted = logicalType === undefined ? undefined : LOGICAL[logicalType];
  if (wanted === null) {
    return 'needs string, integer, number, boolean, timestamp or date: an extract has no other columns';
  }
  const sql = `"${name}"`;
  const stored = storedKind(name, attributes);
  if (stored === null) {
    // The source decides what it holds when it is read; TRY_CAST costs nothing where it is the same type.
    const kind = wanted ?? 'text';
    return { name, sql, kind, value: kind === 'text' ? sql : tryCast(sql, kind), mayDiffer: kind !== 'text' };
  }
  if (wanted === undefined || wanted === stored) {
    return { name, sql, kind: stored, value: sql, mayDiffer: false };
  }
  const isNumber = (kind: ColumnKind) => kind === 'whole' || kind === 'number';
  if (isNumber(stored) && isNumber(wanted)) {
    return { name, sql, kind: wanted, value: sql, mayDiffer: wanted === 'whole' };
  }
  // Ids are text in an extract, so that 007 stays 007; numbers in the source are whole ones there.
  if (stored === 'text' && isNumber(wanted)) {
    return { name, sql, kind: wanted, value: tryCast(sql, wanted), mayDiffer: true };
  }
  return `needs ${typesFor(stored)}, since ${name} is read as ${WORDS[stored]}`;
}

function storedKind(name: string, attributes: Attributes | undefined): ColumnKind | null {
  const canonical = CANONICAL[name];
  if (canonical !== undefined) return KINDS[canonical]!;
  const type = attributes?.[name]?.type;
  return type === undefined ? null : KINDS[ATTRIBUTE_TYPES[type]]!;
}

const WORDS: Readonly<Record<ColumnKind, string>> = {
  text: 'text',
  whole: 'a whole number',
  number: 'a number',
  time: 'a time',
  boolean: 'true or false',
};

function typesFor(kind: ColumnKind): string {
  if (kind === 'text') return 'string (or integer, or number, for digits)';
  if (kind === 'time') return 'timestamp or date';
  return kind === 'boolean' ? 'boolean' : 'integer or number';
}

const CASTS = { whole: 'DECIMAL(38,6)', number: 'DOUBLE', time: 'TIMESTAMP', boolean: 'BOOLEAN' } as const;

function tryCast(sql: string, kind: Exclude<ColumnKind, 'text'>): string {
  return `TRY_CAST(${sql} AS ${CASTS[kind]})`;
}

export function contractColumn(property: OdcsProperty): ContractColumn {
  const { name, logicalType, required, primaryKey, physicalName } = property;
  return {
    name,
    type: logicalType ?? null,
    required: (required || primaryKey) ?? false,
    ...(physicalName !== undefined && { source: physicalName }),
  };
}
