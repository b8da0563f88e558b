// What an extract must satisfy, as the stages read it: conditions in SQL over the columns of the extract.
// People write contract.yaml in the Open Data Contract Standard; `parse-contract.ts` makes this of it. It is
// frozen with each run, so that later forms may only add to it.

/** `reject` keeps a broken row out; `fail` does, and refuses the run beyond the limit; `warn` lets it in and tells. */
export type Severity = 'reject' | 'warn' | 'fail';

/** More broken rows than `rows`, or a larger share of the rows read than `share`, are too many. */
export type Limit =
  | { rows: number }
  | {
      share: number;
      /** Exactly that share is too many, too. */
      below?: true | undefined;
    };

export interface Rule {
  name: string;
  /** SQL over the extract's columns, `malformed` and `is_duplicate`: true for a good row, NULL is broken. */
  check: string;
  severity: Severity;
  /** In words, for reports: why such a row is refused or odd. */
  reason: string;
  /** Beyond it the run is refused, or for `warn` a warning given. Absent: `reject` has none, the others none to spare. */
  limit?: Limit | undefined;
  /** What the contract says, for whoever compares two of them; absent in contracts frozen before it was kept. */
  about?: RuleAbout | undefined;
}

export interface RuleAbout {
  kind: RuleKind;
  /** Columns that the check reads; of a condition in SQL those that it names. */
  columns: string[];
  /** The bound, pattern or list, as it stands in the contract. */
  value?: unknown;
}

export type RuleKind =
  | 'readable'
  | 'required'
  | 'type'
  | 'minimum'
  | 'exclusiveMinimum'
  | 'maximum'
  | 'exclusiveMaximum'
  | 'multipleOf'
  | 'minLength'
  | 'maxLength'
  | 'pattern'
  | 'format'
  | 'values'
  | 'missing'
  | 'unique'
  | 'relation'
  | 'condition';

export interface ContractColumn {
  name: string;
  /** `logicalType` of the standard; null where the contract names none. */
  type: string | null;
  required: boolean;
}

/** How old the newest accepted row may be at the as-of date. */
export interface Freshness {
  name: string;
  /** `ordered_at` or `loaded_at`. */
  column: string;
  hours: number;
  severity: 'warn' | 'fail';
}

export type Operator =
  | 'mustBe'
  | 'mustNotBe'
  | 'mustBeGreaterThan'
  | 'mustBeGreaterOrEqualTo'
  | 'mustBeLessThan'
  | 'mustBeLessOrEqualTo'
  | 'mustBeBetween'
  | 'mustNotBeBetween';

/** How many rows the extract may have. */
export interface Volume {
  name: string;
  operator: Operator;
  /** Of the two operators with a range its ends, which belong to it. */
  value: number | readonly [number, number];
  severity: 'warn' | 'fail';
}

/** What one table must satisfy. */
export interface TableContract {
  /** Columns that together name one row; later rows with the same values are duplicates. */
  unique?: string[] | undefined;
  rules: Rule[];
  columns?: ContractColumn[] | undefined;
  volume?: Volume[] | undefined;
}

export interface Contract extends TableContract {
  /** Text such as `1.0.0`; a number in contracts frozen before they were in the standard's form. */
  version: string | number;
  id?: string | undefined;
  freshness?: Freshness | undefined;
  /** Of the second table, where the source has one. */
  customers?: TableContract | undefined;
  /** What the contract asks and no run looks at, each with its place and why; in every validation report. */
  notChecked?: string[] | undefined;
  thresholds: {
    /** Share of refused rows above which the report warns, and the run is refused. */
    warnRefusedShare: number;
    failRefusedShare: number;
    minimumCustomers: number;
  };
}

/** The first rule of every table: a line that could not be split into fields has no values to judge. */
export const UNREADABLE_LINE: Readonly<Rule> = Object.freeze<Rule>({
  name: 'unreadable-line',
  check: `malformed IS NULL OR NOT starts_with(malformed, 'line ')`,
  severity: 'reject',
  reason: 'the line cannot be split into the fields that the header names',
  about: { kind: 'readable', columns: [] },
});

/** The rule after it, unless a check of the contract looks at `malformed` itself. */
export const UNREADABLE: Readonly<Rule> = Object.freeze<Rule>({
  name: 'unreadable',
  check: 'malformed IS NULL',
  severity: 'reject',
  reason: 'a value was there that cannot be read',
  about: { kind: 'readable', columns: [] },
});
