import type { Random } from '../../numeric/random/random.ts';
import type { BatchColumn, ColumnBatch } from '../contracts/batches.ts';
import { CATEGORIES, CHANNELS, COUNTRIES } from './catalogue.ts';
import { type ExportedLine, QUANTITIES } from './faults.ts';

/** The export's columns, as a warehouse would call them, and where their values come from. */
const COLUMNS: readonly { column: BatchColumn; of: (line: ExportedLine) => number }[] = [
  { of: (line) => line.lineId, column: { name: 'transaction_line_id', kind: 'integer' } },
  { of: (line) => line.customer, column: { name: 'customer_number', kind: 'integer' } },
  {
    of: (line) => line.order,
    column: { name: 'order_number', kind: 'reference', positive: 'S', negative: 'C' },
  },
  { of: (line) => line.orderedAt, column: { name: 'ordered_at', kind: 'minutes' } },
  { of: (line) => line.loadedAt, column: { name: 'loaded_at', kind: 'minutes' } },
  { of: (line) => line.quantity, column: { name: 'quantity', kind: 'word', words: QUANTITIES } },
  { of: (line) => line.priceCents, column: { name: 'unit_price', kind: 'cents' } },
  {
    of: (line) => line.category,
    column: { name: 'product_category', kind: 'word', words: CATEGORIES.map(({ name }) => name) },
  },
  { of: (line) => line.channel, column: { name: 'sales_channel', kind: 'word', words: CHANNELS } },
  {
    of: (line) => line.country,
    column: { name: 'country', kind: 'word', words: COUNTRIES.map(({ code }) => code) },
  },
];

const BATCH_COLUMNS: readonly BatchColumn[] = COLUMNS.map(({ column }) => column);

/** Lines wait here until there are enough to be mixed: an export is in no customer's order. */
export interface RowBuffer {
  readonly rows: number;
  /** @throws RangeError when it is full */
  add(line: ExportedLine): void;
  /** All lines that wait, in random order; then it is empty. */
  take(random: Random): ColumnBatch;
}

export function createRowBuffer(capacity: number): RowBuffer {
  const waiting = COLUMNS.map(() => new Int32Array(capacity));
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    add(line) {
      if (rows === capacity)
        throw new RangeError(`a row buffer needs to be taken from before it holds ${rows} rows`);
      for (let column = 0; column < COLUMNS.length; column++)
        waiting[column]![rows] = COLUMNS[column]!.of(line);
      rows++;
    },
    take(random) {
      const order = random.shuffle(Int32Array.from({ length: rows }, (_, row) => row));
      const values = waiting.map((column) => order.map((row) => column[row]!));
      const batch = { rows, columns: BATCH_COLUMNS, values };
      rows = 0;
      return batch;
    },
  };
}
