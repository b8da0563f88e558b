import { endianness } from 'node:os';
import { PipelineError } from '../../pipelines/contracts/errors.ts';

// A container for typed columns: magic, length of the header, JSON header, then each column little-endian
// at a multiple of 64 bytes, zeros between. Reading gives views into the file's own bytes: a million
// customers by twelve float64 columns are there after one read, with nothing parsed and nothing copied.
// Arrow and Parquet were refused for this: they bring a library and bytes that change with its version.

const MAGIC = Buffer.from('STRATAC1', 'latin1');
const ALIGNMENT = 64;
const PREFIX_BYTES = MAGIC.length + 4;

const DTYPES = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint8: Uint8Array,
} as const;

type Dtype = keyof typeof DTYPES;

export type Column = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;
export type Columns = Record<string, Column>;

interface Header {
  columns: { name: string; dtype: Dtype; length: number; offset: number }[];
}

/**
 * Columns of any lengths as one file; the same columns in the same order give the same bytes.
 *
 * @throws RangeError for an array of another type
 *
 * O(bytes) time and space.
 */
export function encodeColumns(columns: Columns): Buffer {
  requireLittleEndian();
  const names = Object.keys(columns);
  const header: Header = { columns: [] };
  // Offsets count from the first column, so that the header's own length does not change them.
  let dataBytes = 0;
  for (const name of names) {
    const column = columns[name]!;
    header.columns.push({ name, dtype: dtypeOf(name, column), length: column.length, offset: dataBytes });
    dataBytes = aligned(dataBytes + column.byteLength);
  }
  const headerBytes = Buffer.from(JSON.stringify(header), 'utf8');
  const dataStart = aligned(PREFIX_BYTES + headerBytes.length);
  const file = Buffer.alloc(dataStart + dataBytes);
  MAGIC.copy(file);
  file.writeUInt32LE(headerBytes.length, MAGIC.length);
  headerBytes.copy(file, PREFIX_BYTES);
  for (const [i, name] of names.entries()) {
    const column = columns[name]!;
    const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
    file.set(bytes, dataStart + header.columns[i]!.offset);
  }
  return file;
}

/**
 * The columns of `encodeColumns`, in their order: views into `bytes` where it is aligned in memory (what
 * `readFile` gives for large files is), copies where it is not.
 *
 * @throws PipelineError ARTIFACT_CORRUPT saying what does not fit
 */
export function decodeColumns(bytes: Uint8Array): Columns {
  requireLittleEndian();
  const { header, dataStart } = readHeader(bytes);
  const columns: Columns = {};
  for (const { name, dtype, length, offset } of header.columns) {
    const TypedArray = DTYPES[dtype];
    const start = dataStart + offset;
    const end = start + length * TypedArray.BYTES_PER_ELEMENT;
    if (end > bytes.byteLength) {
      throw corrupt(`column ${name} needs bytes ${start} to ${end}, the file has ${bytes.byteLength}`);
    }
    const isAligned = (bytes.byteOffset + start) % TypedArray.BYTES_PER_ELEMENT === 0;
    const content = isAligned ? bytes.subarray(start, end) : new Uint8Array(bytes.subarray(start, end));
    columns[name] = new TypedArray(content.buffer as ArrayBuffer, content.byteOffset, length);
  }
  return columns;
}

function readHeader(bytes: Uint8Array): { header: Header; dataStart: number } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < PREFIX_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw corrupt(`needs to begin with ${MAGIC.toString('latin1')}`);
  }
  const headerLength = file.readUInt32LE(MAGIC.length);
  const headerEnd = PREFIX_BYTES + headerLength;
  if (headerEnd > file.length) {
    throw corrupt(`header needs ${headerLength} bytes, the file has ${file.length} in all`);
  }
  let header: unknown;
  try {
    header = JSON.parse(file.toString('utf8', PREFIX_BYTES, headerEnd));
  } catch (cause) {
    throw corrupt('header is not JSON', cause);
  }
  if (!isHeader(header)) throw corrupt('header does not list columns with name, dtype, length and offset');
  return { header, dataStart: aligned(headerEnd) };
}

function isHeader(value: unknown): value is Header {
  const columns: unknown = (value as Header | null)?.columns;
  return Array.isArray(columns) && columns.every(isColumnHeader);
}

function isColumnHeader(value: unknown): boolean {
  const column = value as Header['columns'][number] | null;
  return (
    typeof column?.name === 'string' &&
    Object.hasOwn(DTYPES, column.dtype) &&
    isCount(column.length) &&
    isCount(column.offset) &&
    column.offset % ALIGNMENT === 0
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function dtypeOf(name: string, column: Column): Dtype {
  for (const dtype of Object.keys(DTYPES) as Dtype[]) {
    if (column instanceof DTYPES[dtype]) return dtype;
  }
  const found = (column as object | null)?.constructor?.name ?? typeof column;
  throw new RangeError(`column ${name} needs one of ${Object.keys(DTYPES).join(', ')}, found ${found}`);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function requireLittleEndian(): void {
  if (endianness() !== 'LE') throw new RangeError('columns files need a little-endian machine, found BE');
}

function corrupt(what: string, cause?: unknown): PipelineError {
  return new PipelineError('ARTIFACT_CORRUPT', `columns file ${what}`, {}, { cause });
}
