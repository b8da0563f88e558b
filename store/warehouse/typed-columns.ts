import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api';

/** Texts one after the other: row i = bytes[offsets[i], offsets[i + 1]), UTF-8. */
export interface TextColumn {
  /** Shape (n + 1,), rising from 0. */
  offsets: Uint32Array;
  bytes: Uint8Array;
}

export interface TypedColumns {
  rows: number;
  /** NULL is NaN. */
  numbers: Record<string, Float64Array>;
  /** NULL is the empty text. */
  texts: Record<string, TextColumn>;
}

/** Rows are collected in blocks of this size, so that growing never copies what is already there. */
const BLOCK_ROWS = 65_536;
/** The most that UTF-8 needs for one UTF-16 unit. */
const UTF8_BYTES_PER_CHARACTER = 3;

/**
 * Collects streamed results of the same DOUBLE and VARCHAR columns, without NULL, one after the other, into flat arrays.
 *
 * Each chunk of 2,048 rows is copied between two awaits, so the event loop is never held for longer than a
 * millisecond or two. Peak memory: the columns, and one of them twice.
 *
 * @param kinds for each column of the results, in order
 */
export function collectTypedColumns(kinds: readonly { name: string; kind: 'number' | 'text' }[]): {
  take(result: DuckDBResult): Promise<void>;
  finish(): TypedColumns;
} {
  const collectors = kinds.map(({ kind }) => (kind === 'number' ? new Numbers() : new Texts()));
  let rows = 0;
  return {
    async take(result) {
      for (;;) {
        const chunk = await result.fetchChunk();
        if (!chunk || chunk.rowCount === 0) return;
        for (let column = 0; column < collectors.length; column++) {
          collectors[column]!.take(chunk.getColumnVector(column), chunk.rowCount);
        }
        rows += chunk.rowCount;
      }
    },
    finish() {
      const columns: TypedColumns = { rows, numbers: {}, texts: {} };
      kinds.forEach(({ name }, column) => {
        const collector = collectors[column]!;
        if (collector instanceof Numbers) columns.numbers[name] = collector.finish(rows);
        else columns.texts[name] = collector.finish(rows);
      });
      return columns;
    },
  };
}

type Items = ReturnType<DuckDBDataChunk['getColumnVector']>;

/**
 * The values of a vector of doubles without NULL. Its own array is private to the package, but reading it value by
 * value took a third of the time of a query; should it ever go, the public way is taken.
 */
function doublesOf(vector: Items, count: number): Float64Array {
  const { items } = vector as unknown as { items?: unknown };
  if (items instanceof Float64Array && items.length >= count) return items.subarray(0, count);
  return Float64Array.from({ length: count }, (_, row) => vector.getItem(row) as number);
}

/** DuckDB's texts in a vector: length, then the bytes of a short one, or four of them and an address. */
const TEXT_BYTES = 16;
const LENGTH_BYTES = 4;
const SHORT_TEXT_BYTES = TEXT_BYTES - LENGTH_BYTES;

/** The texts of a vector as DuckDB has them, private like the array above: most ids are short, and need no decoding. */
function textsOf(vector: Items, count: number): DataView | undefined {
  const { dataView } = vector as unknown as { dataView?: unknown };
  return dataView instanceof DataView && dataView.byteLength >= count * TEXT_BYTES ? dataView : undefined;
}

class Numbers {
  private blocks: Float64Array[] = [];
  private filled = BLOCK_ROWS;

  take(items: Items, count: number): void {
    const values = doublesOf(items, count);
    for (let taken = 0; taken < count; ) {
      if (this.filled === BLOCK_ROWS) {
        this.blocks.push(new Float64Array(BLOCK_ROWS));
        this.filled = 0;
      }
      const some = Math.min(count - taken, BLOCK_ROWS - this.filled);
      this.blocks.at(-1)!.set(values.subarray(taken, taken + some), this.filled);
      this.filled += some;
      taken += some;
    }
  }

  finish(rows: number): Float64Array {
    const values = new Float64Array(rows);
    this.blocks.forEach((block, i) => {
      const start = i * BLOCK_ROWS;
      values.set(block.subarray(0, Math.min(BLOCK_ROWS, rows - start)), start);
    });
    this.blocks = [];
    return values;
  }
}

class Texts {
  private readonly encoder = new TextEncoder();
  private bytes = new Uint8Array(1 << 20);
  private length = 0;
  private blocks: Uint32Array[] = [];
  private filled = BLOCK_ROWS;

  take(items: Items, count: number): void {
    const view = textsOf(items, count);
    for (let row = 0; row < count; row++) {
      const start = row * TEXT_BYTES;
      const length = view?.getUint32(start, true) ?? Number.POSITIVE_INFINITY;
      if (view && length <= SHORT_TEXT_BYTES) this.copy(view, { start: start + LENGTH_BYTES, length });
      else this.append(items.getItem(row) as string);
      this.end();
    }
  }

  private copy(view: DataView, { start, length }: { start: number; length: number }): void {
    this.makeRoom(length);
    for (let i = 0; i < length; i++) this.bytes[this.length + i] = view.getUint8(start + i);
    this.length += length;
  }

  private append(text: string): void {
    this.makeRoom(text.length * UTF8_BYTES_PER_CHARACTER);
    this.length += this.encoder.encodeInto(text, this.bytes.subarray(this.length)).written;
  }

  private makeRoom(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return;
    const wider = new Uint8Array(this.bytes.length * 2 + bytes);
    wider.set(this.bytes.subarray(0, this.length));
    this.bytes = wider;
  }

  private end(): void {
    if (this.filled === BLOCK_ROWS) {
      this.blocks.push(new Uint32Array(BLOCK_ROWS));
      this.filled = 0;
    }
    this.blocks.at(-1)![this.filled++] = this.length;
  }

  finish(rows: number): TextColumn {
    const offsets = new Uint32Array(rows + 1);
    this.blocks.forEach((block, i) => {
      const start = i * BLOCK_ROWS;
      offsets.set(block.subarray(0, Math.min(BLOCK_ROWS, rows - start)), start + 1);
    });
    this.blocks = [];
    const bytes = this.bytes.slice(0, this.length);
    this.bytes = new Uint8Array(0);
    return { offsets, bytes };
  }
}
