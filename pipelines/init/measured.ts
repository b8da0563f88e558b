// What was seen of the rows once it was known which column is what.

export interface MeasuredRows {
  /** Lines that cannot be split among them. */
  rows: number;
  /** Lines that cannot be split into the columns of the header: every contract refuses them. */
  unreadableLines: number;
  withoutCustomer: number;
  withoutOrder: number;
  withoutTime: number;
  /** A value was there that cannot be read as the number or time it has to be. */
  unreadable: number;
  /** Rows that are the same as another one in every column. */
  duplicates: number;
  /** Rows whose line id another row has too, beside the first. */
  repeatedLines: number;
  /** Ordered before 2000. */
  ancient: number;
  /** `YYYY-MM-DD` of the oldest and the newest readable time, the newest not after today. */
  oldest: string | null;
  newest: string | null;
  /** Ordered after today. */
  future: number;
  /** Ordered after it was loaded. */
  afterLoading: number;
  quantity: Seen | null;
  price: Seen | null;
  amount: Seen | null;
  /** Letters before the digits of order ids, with the share of such rows whose pieces or money are below zero. */
  prefixes: readonly { prefix: string; rows: number; negativeShare: number }[];
  /** Words of the columns that are lists, the commonest first; null: too many. */
  countries: readonly string[] | null;
  channels: readonly string[] | null;
}

export interface Seen {
  missing: number;
  zeros: number;
  negatives: number;
  max: number;
}

/** Of the rows that the drafted rules let through. */
export interface MeasuredCustomers {
  rows: number;
  customers: number;
  /** From the first order to the as-of date. */
  historyDays: number;
  gaps: { count: number; median: number; upper: number; long: number };
  recency: { quarter: number; half: number; threeQuarters: number };
  spend: { half: number; fourFifths: number };
}
