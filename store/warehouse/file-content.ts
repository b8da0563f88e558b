import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { PipelineError } from '../../pipelines/contracts/errors.ts';

export type FileKind = 'csv' | 'csv.gz' | 'parquet';

export interface CsvDialect {
  delimiter: string;
  /** Names of the header line, made different from one another. */
  columns: string[];
  /** Before the header line. */
  blankLines: number;
}

interface FileFacts {
  path: string;
  name: string;
  kind: FileKind;
  bytes: number;
}

/** Enough for any header line and for a verdict on what the content is. */
const HEAD_BYTES = 65_536;
const DELIMITERS = [',', ';', '\t', '|'] as const;

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
  ['UTF-16 text', [0xff, 0xfe]],
  ['UTF-16 text', [0xfe, 0xff]],
];

/**
 * Holds the content against the ending.
 *
 * @returns how a CSV file is written; null for Parquet
 * @throws PipelineError EXTRACT_UNREADABLE saying what the file looks like, EXTRACT_EMPTY for a CSV file
 *   without a line
 */
export async function readContent(facts: FileFacts): Promise<CsvDialect | null> {
  const { head, tail } = await readEnds(facts.path, facts.bytes);
  if (facts.kind === 'parquet') {
    checkParquet(facts, head, tail);
    return null;
  }
  if (facts.kind === 'csv') return readDialect(facts, head);
  if (!startsWith(head, SIGNATURES[1]![1])) refuse(facts, looksLike(head));
  return readDialect(facts, await gunzipHead(facts, head));
}

async function readEnds(path: string, bytes: number): Promise<{ head: Buffer; tail: Buffer }> {
  await using file = await openFile(path);
  const head = Buffer.alloc(Math.min(HEAD_BYTES, bytes));
  const tail = Buffer.alloc(Math.min(4, bytes));
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  await file.read(tail, 0, tail.length, bytes - tail.length);
  return { head: head.subarray(0, bytesRead), tail };
}

async function openFile(path: string) {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new PipelineError(
      'EXTRACT_UNREADABLE',
      `extract ${path} may not be read by this user`,
      {},
      { cause },
    );
  }
}

function checkParquet(facts: FileFacts, head: Buffer, tail: Buffer): void {
  const [, magic] = SIGNATURES[0]!;
  if (!startsWith(head, magic)) refuse(facts, looksLike(head));
  if (!startsWith(tail, magic)) refuse(facts, 'a Parquet file that was cut off; copy it again');
}

function readDialect(facts: FileFacts, head: Buffer): CsvDialect {
  const binary = looksBinary(head);
  if (binary) refuse(facts, binary);
  const text = head.toString('utf8').replace(/^\ufeff/, '');
  if (text.trim() === '') {
    throw new PipelineError('EXTRACT_EMPTY', `extract ${facts.name} has no lines`, { file: facts.name });
  }
  if (/^\s*[{<]|^\s*\[\s*[{[]/.test(text)) refuse(facts, looksLike(head));
  const blank = /^(?:[^\S\t\r\n]*\r?\n)*/.exec(text)![0];
  // DuckDB would skip such lines by one kind of line end and read by the other, losing rows without a word.
  const lead = text.slice(0, text.indexOf('\n', blank.length) + 1);
  if (blank !== '' && /\r\n/.test(lead) && /(^|[^\r])\n/.test(lead))
    refuse(facts, 'text that mixes line ends');
  const splits = DELIMITERS.map((delimiter) => ({
    delimiter,
    columns: splitHeader(text.slice(blank.length), delimiter),
  }));
  const best = splits.reduce((left, right) => (right.columns.length > left.columns.length ? right : left));
  if (best.columns.length < 2) refuse(facts, 'text whose first line names a single column');
  return { ...best, columns: distinct(best.columns), blankLines: blank.split('\n').length - 1 };
}

/** Fields of the first line; a delimiter or a line break in quotation marks belongs to its field. */
function splitHeader(text: string, delimiter: string): string[] {
  const fields = [''];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '"' && quoted && text[i + 1] === '"') fields[fields.length - 1] += text[++i];
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '\n' || character === '\r')) break;
    else if (!quoted && character === delimiter) fields.push('');
    else fields[fields.length - 1] += character;
  }
  return fields.map((field) => field.trim());
}

/** SQL needs a name for each column, and tells `Price` and `price` not apart. */
function distinct(columns: readonly string[]): string[] {
  const taken = new Set<string>();
  return columns.map((column, i) => {
    let name = column || `column_${i + 1}`;
    for (let copy = 2; taken.has(name.toLowerCase()); copy++) name = `${column}_${copy}`;
    taken.add(name.toLowerCase());
    return name;
  });
}

/** The start of a gzip file is enough: what is missing at its end is no error here. */
async function gunzipHead(facts: FileFacts, head: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const gunzip = createGunzip();
  gunzip.end(head);
  try {
    for await (const chunk of gunzip) chunks.push(chunk);
  } catch (error) {
    const cutByUs = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
    if (!cutByUs || facts.bytes <= head.length) refuse(facts, 'a gzip file that is damaged; copy it again');
  }
  return Buffer.concat(chunks).subarray(0, HEAD_BYTES);
}

function looksBinary(head: Buffer): string | undefined {
  const known = SIGNATURES.find(([, magic]) => startsWith(head, magic))?.[0];
  return known ?? (head.includes(0) ? 'binary data' : undefined);
}

function looksLike(head: Buffer): string {
  const binary = looksBinary(head);
  if (binary) return binary;
  const text = head.toString('utf8').trimStart();
  if (text.startsWith('<')) return 'a web page or XML';
  if (text.startsWith('{') || text.startsWith('[')) return 'JSON';
  return 'plain text';
}

function startsWith(bytes: Buffer, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}

function refuse({ name, kind }: FileFacts, found: string): never {
  throw new PipelineError(
    'EXTRACT_UNREADABLE',
    `extract ${name} needs to be ${kind}, it looks like ${found}`,
    {
      file: name,
    },
  );
}
