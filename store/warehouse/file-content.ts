import { open } from 'node:fs/promises';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { SourceFormat } from '../../pipelines/contracts/source.ts';
import { type Compression, type Encoding, markedEncoding, unpackedBytes, utf8Pieces } from './text-stream.ts';

export interface CsvDialect {
  delimiter: string;
  encoding: Encoding;
  /** Whether the definition or a byte order mark names it. */
  isEncodingKnown: boolean;
  /** Names of the header line, made different from one another. */
  columns: string[];
  /** As they stand there. */
  header: string[];
}

export interface FileFacts {
  path: string;
  name: string;
  /** `csv`, `tsv.gz`, `parquet`, … */
  ending: string;
  compression: Compression;
  bytes: number;
}

/** Enough for a verdict on what the content is, and for most header lines. */
const HEAD_BYTES = 65_536;
/** Of a record in UTF-8. */
export const LONGEST_RECORD_BYTES = 1_000_000;
const DELIMITERS = [',', ';', '\t', '|'] as const;
/** Of the head: UTF-16 without a mark has half of them, a database many. A stray one is the fault of its line. */
const BINARY_NUL_SHARE = 0.01;

/** First bytes that give a format away. */
const SIGNATURES: readonly [string, readonly number[]][] = [
  ['a Parquet file', [0x50, 0x41, 0x52, 0x31]],
  ['a gzip file', [0x1f, 0x8b]],
  ['a zip archive or an Excel workbook', [0x50, 0x4b, 0x03, 0x04]],
  ['an old Excel workbook', [0xd0, 0xcf, 0x11, 0xe0]],
  ['a zstd file', [0x28, 0xb5, 0x2f, 0xfd]],
  ['an SQLite database', [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65]],
  ['an ORC file', [0x4f, 0x52, 0x43]],
  ['an Avro file', [0x4f, 0x62, 0x6a, 0x01]],
  ['a PDF', [0x25, 0x50, 0x44, 0x46]],
];
const PARQUET = SIGNATURES[0]![1];
const PACKED = { gzip: SIGNATURES[1]![1], zstd: SIGNATURES[4]![1] } as const;

/**
 * Holds the content against the ending. Reads the first bytes, and the last ones of Parquet.
 *
 * @returns how a text file is written; null for Parquet
 * @throws PipelineError EXTRACT_UNREADABLE saying what the file looks like, EXTRACT_EMPTY for a text file
 *   without a line
 */
export async function readContent(facts: FileFacts, format: SourceFormat = {}): Promise<CsvDialect | null> {
  const { head, tail } = await readEnds(facts);
  if (facts.ending === 'parquet') {
    if (!startsWith(head, PARQUET)) refuse(facts, looksLike(head));
    if (!startsWith(tail, PARQUET)) refuse(facts, 'a Parquet file that was cut off; copy it again');
    return null;
  }
  if (facts.compression !== null && !startsWith(head, PACKED[facts.compression]))
    refuse(facts, looksLike(head));
  return readDialect(facts, format);
}

async function readEnds({ path, name, bytes }: FileFacts): Promise<{ head: Buffer; tail: Buffer }> {
  const file = await open(path, 'r').catch((cause) => {
    const message = `extract ${name} may not be read by this user; give the worker's user the right to read it`;
    throw new PipelineError('EXTRACT_UNREADABLE', message, { file: name }, { cause });
  });
  try {
    const head = Buffer.alloc(Math.min(HEAD_BYTES, bytes));
    const tail = Buffer.alloc(Math.min(4, bytes));
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    await file.read(tail, 0, tail.length, bytes - tail.length);
    return { head: head.subarray(0, bytesRead), tail };
  } finally {
    await file.close();
  }
}

async function readDialect(facts: FileFacts, format: SourceFormat): Promise<CsvDialect> {
  const head = await headOf(unpackedBytes(facts));
  const known = markedEncoding(head) ?? format.encoding;
  const encoding = known ?? 'utf-8';
  const isWide = encoding.startsWith('utf-16');
  const binary = isWide ? undefined : looksBinary(head);
  if (binary) refuse(facts, binary);
  const text = await headerText(facts, encoding);
  if (text.trim() === '') {
    throw new PipelineError('EXTRACT_EMPTY', `extract ${facts.name} has no lines`, { file: facts.name });
  }
  if (/^\s*[{<]|^\s*\[\s*[{[]/.test(text)) refuse(facts, looksLike(Buffer.from(text)));
  const line = text.replace(/^(?: *(?:\r\n|\r|\n))+/, '');
  const splits = delimitersOf(facts, format).map((delimiter) => ({
    delimiter,
    header: splitHeader(line, delimiter),
  }));
  const best = splits.reduce((left, right) => (right.header.length > left.header.length ? right : left));
  if (best.header.length < 2) {
    const tried = splits.map(({ delimiter }) => (delimiter === '\t' ? 'tab' : delimiter)).join(' ');
    refuse(
      facts,
      `text whose first line names a single column; needs a header line with its names divided by ${tried}, or format.delimiter in pipeline.yaml`,
    );
  }
  return { ...best, encoding, isEncodingKnown: known !== undefined, columns: distinct(best.header) };
}

function delimitersOf({ ending }: FileFacts, format: SourceFormat): readonly string[] {
  if (format.delimiter !== undefined) return [format.delimiter];
  return ending.startsWith('tsv') ? ['\t'] : DELIMITERS;
}

async function headOf(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const taken: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    taken.push(piece);
    bytes += piece.length;
    if (bytes >= HEAD_BYTES) break;
  }
  return Buffer.concat(taken).subarray(0, HEAD_BYTES);
}

/** The beginning of the text, at least to the end of the header line. */
async function headerText(facts: FileFacts, encoding: Encoding): Promise<string> {
  const taken: Buffer[] = [];
  let bytes = 0;
  for await (const piece of utf8Pieces(facts, encoding)) {
    taken.push(piece);
    bytes += piece.length;
    const text = Buffer.concat(taken).toString('utf8');
    if (bytes >= HEAD_BYTES && /[\r\n]/.test(text.trimStart())) return text;
    if (bytes > LONGEST_RECORD_BYTES) {
      refuse(
        facts,
        `text whose first line is longer than ${LONGEST_RECORD_BYTES.toLocaleString('en')} bytes; needs a header line, and a line for each row`,
      );
    }
  }
  return Buffer.concat(taken).toString('utf8');
}

/** Fields of the first line. Quotation marks count at the beginning of a field, blanks aside, as in any line. */
function splitHeader(text: string, delimiter: string): string[] {
  const fields: string[] = [];
  let i = 0;
  for (;;) {
    let field = '';
    while (text[i] === ' ') i++;
    if (text[i] === '"') {
      for (i++; i < text.length; i++) {
        if (text[i] === '"' && text[i + 1] !== '"') break;
        if (text[i] === '"') i++;
        field += text[i];
      }
      i++;
    }
    while (i < text.length && text[i] !== delimiter && text[i] !== '\n' && text[i] !== '\r')
      field += text[i++];
    fields.push(field.trim());
    if (text[i] !== delimiter || i >= text.length) return fields;
    i++;
  }
}

/** SQL needs a name for each column, and tells `Price` and `price` not apart. */
function distinct(columns: readonly string[]): string[] {
  const taken = new Set<string>();
  return columns.map((column, i) => {
    const plain = column || `column_${i + 1}`;
    let name = plain;
    for (let copy = 2; taken.has(name.toLowerCase()); copy++) name = `${plain}_${copy}`;
    taken.add(name.toLowerCase());
    return name;
  });
}

function looksBinary(head: Buffer): string | undefined {
  const known = SIGNATURES.find(([, magic]) => startsWith(head, magic))?.[0];
  if (known) return known;
  const headerEnd = head.findIndex((byte) => byte === 10 || byte === 13);
  const nuls = head.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  const isInHeader = head.subarray(0, headerEnd < 0 ? head.length : headerEnd).includes(0);
  if (!isInHeader && nuls <= head.length * BINARY_NUL_SHARE) return undefined;
  const wide = (['utf-16le', 'utf-16be'] as const).find((_, i) => isEverySecond(head, 1 - i));
  return wide === undefined
    ? 'binary data'
    : `UTF-16 text without a byte order mark; name format.encoding: ${wide} in pipeline.yaml`;
}

/** Whether the header line has a NUL at each second place, as Latin letters in UTF-16 have. */
function isEverySecond(head: Buffer, from: number): boolean {
  for (let i = from; i < Math.min(head.length, 32); i += 2) if (head[i] !== 0) return false;
  return head.length >= 4 && head[1 - from] !== 0;
}

function looksLike(head: Buffer): string {
  const binary = markedEncoding(head) ? undefined : looksBinary(head);
  if (binary) return binary;
  const text = head.toString('utf8').trimStart();
  if (text.startsWith('<')) return 'a web page or XML';
  if (text.startsWith('{') || text.startsWith('[')) return 'JSON';
  return 'plain text';
}

function startsWith(bytes: Buffer, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}

function refuse({ name, ending }: FileFacts, found: string): never {
  throw new PipelineError(
    'EXTRACT_UNREADABLE',
    `extract ${name} needs to be ${ending}, it looks like ${found}`,
    { file: name },
  );
}
