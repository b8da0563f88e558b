import { z } from 'zod';
import { isTimeZone } from './shop-date.ts';

// Where the rows of a pipeline come from and which of their columns are what. Nothing secret stands in here:
// an address that may hold a password is named by the variable that holds it.

const columnName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'needs a snake_case column name');
const sourceColumn = z.string().min(1);
const variable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'needs the name of an environment variable');

/** Columns every transaction extract has after reading; a source says which of its own columns they are. */
export const CANONICAL_COLUMNS = {
  customer_id: 'VARCHAR',
  /** Of a source without orders each moment at which a customer bought is one. */
  order_id: 'VARCHAR',
  ordered_at: 'TIMESTAMP',
} as const;

/** Canonical columns that a source may lack. */
export const OPTIONAL_COLUMNS = {
  quantity: 'BIGINT',
  unit_price: 'DECIMAL(18,4)',
  line_id: 'VARCHAR',
  loaded_at: 'TIMESTAMP',
  /** Money taken off the line, in the pipeline's currency. */
  discount: 'DECIMAL(18,4)',
  category: 'VARCHAR',
  channel: 'VARCHAR',
  country: 'VARCHAR',
} as const;

const columns = z
  .strictObject({
    customer_id: sourceColumn,
    /** Absent: each moment at which a customer bought is an order. */
    order_id: sourceColumn.optional(),
    ordered_at: sourceColumn,
    quantity: sourceColumn.optional(),
    unit_price: sourceColumn.optional(),
    /** Money of the line, in the pipeline's currency; absent: quantity * unit_price. */
    amount: sourceColumn.optional(),
    line_id: sourceColumn.optional(),
    loaded_at: sourceColumn.optional(),
    discount: sourceColumn.optional(),
    category: sourceColumn.optional(),
    channel: sourceColumn.optional(),
    country: sourceColumn.optional(),
  })
  .refine(({ amount, quantity, unit_price }) => amount !== undefined || (quantity && unit_price), {
    error: 'needs amount, or quantity and unit_price',
  });

export const ATTRIBUTE_TYPES = {
  text: 'VARCHAR',
  number: 'DOUBLE',
  time: 'TIMESTAMP',
  boolean: 'BOOLEAN',
} as const;

/** Names that mean something else in an extract, its quarantine or the SQL that makes them. */
const RESERVED_NAMES = new Set([
  ...Object.keys({ ...CANONICAL_COLUMNS, ...OPTIONAL_COLUMNS }),
  'amount',
  // Of an order, which lines do not have: an attribute of that name would stand in their place, or they in its.
  'lines',
  'products',
  'gap_days',
  'is_first_in_month',
  'order_number',
  'malformed',
  'is_duplicate',
  'is_known_customer',
  'is_released',
  'refused_by',
  'broken_rules',
  'first_broken',
  'as_of',
  'file_row_number',
  'rowid',
  'customer_order',
  'tie',
]);
const RESERVED_BEGINNINGS = /^(raw_|held_)/;

const attributeName = columnName.refine(
  (name) => !RESERVED_NAMES.has(name) && !RESERVED_BEGINNINGS.test(name),
  { error: 'needs a name that Strata does not use itself' },
);

/** Whether an attribute may have the name. */
export function isAttributeName(name: string): boolean {
  return attributeName.safeParse(name).success;
}

/** Columns beyond the canonical ones: name in Strata -> column of the source. */
const attributes = z.record(
  attributeName,
  z.strictObject({
    column: sourceColumn,
    /** Absent: what the source's own type is; every column of a text file is text. */
    type: z.enum(['text', 'number', 'time', 'boolean']).optional(),
  }),
);

/** Of a day and of what makes one; DuckDB's strptime knows no others. */
const TIME_SPECIFIERS = /^(?:[^%]|%-?[dmyHIMSj]|%[YbBaApfgnzZ%])+$/;

const timeFormat = z
  .string()
  .refine((format) => TIME_SPECIFIERS.test(format) && /%-?[Yy]/.test(format) && namesDay(format), {
    error: 'needs a strptime format with year, month and day, such as %d.%m.%Y %H:%M',
  })
  .refine((format) => /%p/.test(format) || !/%-?I/.test(format), {
    error: 'needs %p beside %I, or %H for hours up to 23',
  });

/** How texts are read, where the source does not say. Parquet and PostgreSQL say most of it. */
const format = z
  .strictObject({
    /** Absent: UTF-8, or what a byte order mark says. */
    encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1']).optional(),
    /** Absent: the one that splits the header line into the most columns. */
    delimiter: z
      .string()
      .regex(/^(?:\t|[!#-/:-@[-`{-~])$/, 'needs one ASCII mark such as ; or a tab')
      .optional(),
    /** strptime formats, tried in this order; absent: ISO 8601. Such as `%d.%m.%Y %H:%M`. */
    times: z.array(timeFormat).min(1).optional(),
    /** Absent: a point. */
    decimal: z.enum(['.', ',']).optional(),
    /** Texts that mean that there is no value, whatever their case; blank text always does. */
    missing: z.array(z.string().min(1)).optional(),
  })
  .optional();

const file = z.strictObject({
  kind: z.literal('file'),
  /** A file, or patterns such as `exports/2026-*.parquet`; absent: the path has to come with the run's input. */
  path: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
});

const postgres = z.strictObject({
  kind: z.literal('postgres'),
  /** Variable of the worker that holds the connection string. */
  urlFrom: variable,
  /** One SELECT; it runs in a read-only transaction. */
  query: z.string().trim().min(1),
});

/** A second table with one row per customer; its attributes are there for features beside the transactions. */
const customers = z.discriminatedUnion('kind', [
  file.extend({ path: file.shape.path.unwrap(), customer_id: sourceColumn, attributes, format }),
  postgres.extend({ customer_id: sourceColumn, attributes, format }),
]);

const shared = {
  columns,
  attributes: attributes.optional(),
  customers: customers.optional(),
  format,
  /** IANA zone of the shop's clock, absent: UTC. A time without a zone is of it, any other is brought to it. */
  timezone: z
    .string()
    .refine(isTimeZone, { error: 'needs an IANA time zone such as Europe/London' })
    .optional(),
};

const sources = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('generated'),
    customers: z.int().min(100).max(10_000_000),
    months: z.int().min(2).max(60),
    /** Last day of the made-up shop's books. */
    until: z.iso.date(),
    seed: z.int().min(0),
    columns,
    attributes: shared.attributes,
    format,
    timezone: shared.timezone,
  }),
  file.extend(shared),
  postgres.extend(shared),
]);

/** Features see the columns of both tables at once: of two with one name neither could be meant. */
export const sourceSchema = sources.superRefine((source, context) => {
  const own = Object.keys(source.attributes ?? {});
  const second = source.kind === 'generated' ? [] : Object.keys(source.customers?.attributes ?? {});
  for (const name of second.filter((one) => own.includes(one))) {
    const path = ['customers', 'attributes', name];
    context.addIssue({
      code: 'custom',
      path,
      message: 'needs a name that no attribute of the transactions has',
    });
  }
});

export type Source = z.infer<typeof sourceSchema>;
export type SourceColumns = z.infer<typeof columns>;
export type SourceFormat = NonNullable<z.infer<typeof format>>;
export type Attributes = z.infer<typeof attributes>;
export type CustomerSource = z.infer<typeof customers>;

function namesDay(format: string): boolean {
  return /%-?j/.test(format) || (/%-?m|%[bB]/.test(format) && /%-?d/.test(format));
}
