import { quoteName } from '../../contracts/sql-quote.ts';
import { type Column, judged, type Reader, type Relation } from './relation.ts';

// Two samples, each the same whenever and on however many threads. Rows at equal distances in the frozen file stand
// for all rows. Customers whose hash is drawn are there whole: all copies of a row, all orders of a customer, every
// country of theirs together. A large extract is read once for both.

const SAMPLED_ROWS = 50_000;
/** About so many at most; the sample for readiness must not pass 20,000. */
const SAMPLED_CUSTOMERS = 19_000;
/** The drawn customers' rows are kept while they have no more values than these; else read again each time. */
const MOST_VALUES_KEPT = 16_000_000;

export const SAMPLE = 'profile_sample';
const DRAWN = 'profile_drawn';
const KEPT = 'profile_kept';

export interface Drawn {
  /** Stands behind FROM. */
  from: string;
  /** Every so many-th customer is drawn; 1: all. */
  every: number;
}

export interface Samples {
  /** Rows of the table {@link SAMPLE}: some 50,000, judged; all rows of a smaller extract. */
  sampled: number;
  /** Rows of the drawn customers; rows without a customer are left out. */
  drawn: Drawn;
}

export async function takeSamples(
  reader: Reader,
  relation: Relation,
  about: { rows: number; columns: readonly Column[]; customers: number },
): Promise<Samples> {
  const { from } = relation;
  const everyRow = Math.max(1, Math.ceil(about.rows / SAMPLED_ROWS));
  const every = Math.max(1, Math.ceil(about.customers / SAMPLED_CUSTOMERS));
  const all = about.columns.map(({ name }) => quoteName(name)).join(', ');
  const isSampled = everyRow === 1 ? 'true' : `${relation.rowNumber ?? `hash(${all})`} % ${everyRow} = 0`;
  const isDrawn = `customer_id IS NOT NULL${every === 1 ? '' : ` AND hash(customer_id) % ${every} = 0`}`;
  const isKept = every > 1 && (about.rows / every) * about.columns.length <= MOST_VALUES_KEPT;
  const keep = (name: string, sql: string) => reader.rows(`CREATE OR REPLACE TEMP TABLE ${name} AS ${sql}`);
  const sampleOf = (rows: string) => `SELECT * FROM ${judged({ ...relation, from: rows })}`;
  if (isKept) {
    const marks = `(${isSampled}) AS __sampled, (${isDrawn}) AS __drawn`;
    await keep(KEPT, `SELECT *, ${marks} FROM ${from} WHERE (${isSampled}) OR (${isDrawn})`);
    const marked = (mark: string) => `SELECT * EXCLUDE (__sampled, __drawn) FROM ${KEPT} WHERE ${mark}`;
    await keep(SAMPLE, sampleOf(`(${marked('__sampled')})`));
    await keep(DRAWN, marked('__drawn'));
    await reader.rows(`DROP TABLE ${KEPT}`);
  } else {
    await keep(SAMPLE, sampleOf(`(SELECT * FROM ${from} WHERE ${isSampled})`));
  }
  const [counted] = await reader.rows(`SELECT count(*) AS rows FROM ${SAMPLE}`);
  return {
    sampled: Number(counted!.rows),
    drawn: { from: isKept ? DRAWN : `(SELECT * FROM ${from} WHERE ${isDrawn})`, every },
  };
}
