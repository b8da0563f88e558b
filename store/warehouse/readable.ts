import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { quoteName, quoteText } from '../../pipelines/contracts/sql-quote.ts';
import { type RecordCounts, RecordScanner, type RecordVisitor } from './csv-records.ts';
import { type CsvDialect, LONGEST_RECORD_BYTES } from './file-content.ts';
import { parquetSql, type SourceFile, type SourceFiles, withoutGlobs } from './sources.ts';
import { utf8Pieces } from './text-stream.ts';

// Files as one relation. Text is looked through first: what DuckDB would refuse, skip or misread is taken out
// of it and kept, so that every line is a row. A file that is plain and sound, as nearly all are, is read
// where it is; of any other a plain copy is made.

/** Column of the relation that says of a line why it is no row of values. No source has the name by chance. */
export const UNREADABLE = 'strata unreadable line';
/** Of the line, in the quarantine. */
const SHOWN_CHARACTERS = 120;
/** A character of UTF-8 has at most four bytes. */
const SHOWN_BYTES = SHOWN_CHARACTERS * 4;
/** Above that of a record, so that DuckDB never refuses one that was found sound here. */
const DUCKDB_LINE_BYTES = 2 * LONGEST_RECORD_BYTES;
/** Rows of one file have numbers below it, so that a row of several files has one number, too. */
const ROWS_OF_A_FILE = 2n ** 40n;

export interface Readable {
  /** To stand behind FROM. Of Parquet it has `file_row_number`, unless a column of the source has the name. */
  from: string;
  /** Whether there is a column `UNREADABLE`. */
  hasUnreadable: boolean;
  /** What a reader has to get; null of Parquet, whose rows are counted in it. */
  rows: number | null;
}

export interface ReadingOptions {
  /** Exists, and goes after the reading: for plain copies and unreadable lines. */
  folder: string;
  /** Columns of the source, as the definition names them. */
  wanted: readonly string[];
  signal?: AbortSignal;
}

/** @throws PipelineError EXTRACT_UNREADABLE with the file and, where there are lines, the line */
export async function readableSource(source: SourceFiles, options: ReadingOptions): Promise<Readable> {
  if (source.kind === 'parquet') return { from: numberedParquet(source), hasUnreadable: false, rows: null };
  const unreadable = await openLines(join(options.folder, 'unreadable.csv'));
  try {
    const parts: Part[] = [];
    for (const [place, file] of source.files.entries()) {
      const plain = join(options.folder, `plain-${place}.csv`);
      parts.push(await partOf(file, { plain, unreadable, isOne: source.files.length === 1, ...options }));
    }
    await unreadable.flush();
    const rows = parts.reduce((sum, { counts }) => sum + counts.records + counts.unreadable, 0);
    const hasUnreadable = parts.some(({ counts }) => counts.unreadable > 0);
    return {
      from: relation(parts, options.wanted, hasUnreadable ? unreadable.path : null),
      hasUnreadable,
      rows,
    };
  } finally {
    await unreadable.close();
  }
}

function numberedParquet({ files }: SourceFiles): string {
  if (files.length === 1) return parquetSql(files);
  return `(SELECT *, CAST(file_index * ${ROWS_OF_A_FILE} + file_row_number AS BIGINT) AS file_row_number FROM ${parquetSql(files)})`;
}

/** What DuckDB reads of one file. */
interface Part {
  path: string;
  dialect: CsvDialect;
  isCopy: boolean;
  counts: RecordCounts;
}

interface PartOptions extends ReadingOptions {
  plain: string;
  unreadable: Lines;
  isOne: boolean;
}

async function partOf(file: SourceFile, options: PartOptions): Promise<Part> {
  const dialect = file.dialect!;
  const part = (counts: RecordCounts, isCopy: boolean) => ({
    path: isCopy ? options.plain : file.path,
    dialect,
    isCopy,
    counts,
  });
  const keep = keeperOf(file, options);
  if (file.compression !== null || dialect.encoding !== 'utf-8')
    return part(await copyRecords(file, options, keep), true);
  const counts = await scan(file, { onUnreadable: keep }, options, () => options.unreadable.flush());
  return isPlain(counts) ? part(counts, false) : part(await copyRecords(file, options, () => {}), true);
}

/** Whether DuckDB reads the file as it was found to be here. */
function isPlain({ unreadable, blankLines, ends }: RecordCounts): boolean {
  return unreadable === 0 && blankLines === 0 && ends.cr === 0 && (ends.lf === 0 || ends.crlf === 0);
}

/** Lines that cannot be split, with where and why; without a known encoding one wrong byte speaks against all. */
function keeperOf(file: SourceFile, { unreadable, isOne }: PartOptions): RecordVisitor['onUnreadable'] {
  const of = isOne ? '' : ` of ${file.name}`;
  return (line, reason, bytes) => {
    if (reason === NOT_UTF8 && !file.dialect!.isEncodingKnown) {
      throw new PipelineError(
        'EXTRACT_UNREADABLE',
        `extract ${file.name} cannot be read: line ${line} is not UTF-8 text; name its encoding as format.encoding in pipeline.yaml (such as windows-1252), or save it as UTF-8`,
        { file: file.name, line },
      );
    }
    unreadable.add(`line ${line}${of}: ${reason} | ${shown(bytes)}`);
  };
}

const NOT_UTF8 = 'is not UTF-8 text';

function shown(bytes: Buffer): string {
  const text = bytes
    .subarray(0, SHOWN_BYTES)
    .toString('utf8')
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  return Array.from(text).slice(0, SHOWN_CHARACTERS).join('');
}

async function scan(
  file: SourceFile,
  visitor: RecordVisitor,
  { signal }: Pick<ReadingOptions, 'signal'>,
  afterPiece: () => Promise<void>,
): Promise<RecordCounts> {
  const { delimiter, columns, encoding } = file.dialect!;
  const scanner = new RecordScanner(
    { delimiter, fields: columns.length, longest: LONGEST_RECORD_BYTES },
    visitor,
  );
  try {
    for await (const piece of utf8Pieces(file, encoding, signal)) {
      scanner.push(piece);
      await afterPiece();
    }
    const counts = scanner.finish();
    await afterPiece();
    return counts;
  } catch (error) {
    if (!(error instanceof PipelineError) || error.details.line !== undefined) throw error;
    const message = `${error.message}; it is sound up to line ${scanner.line}`;
    throw new PipelineError(error.code, message, { ...error.details, line: scanner.line });
  }
}

/** The sound records alone, one a line, in UTF-8, without the header. */
async function copyRecords(
  file: SourceFile,
  options: PartOptions,
  onUnreadable: RecordVisitor['onUnreadable'],
): Promise<RecordCounts> {
  const copy = await open(options.plain, 'w');
  try {
    const records = new Records();
    return await scan(
      file,
      { onUnreadable, onRecord: (bytes, begin, end) => records.add(bytes, begin, end) },
      options,
      async () => {
        await options.unreadable.flush();
        await writeAll(copy, records.take());
      },
    );
  } finally {
    await copy.close();
  }
}

const FIRST_BYTES = 1_100_000;
const LINE_FEED = 10;

/** Records one after the other, each with a line feed. */
class Records {
  private bytes = Buffer.allocUnsafe(FIRST_BYTES);
  private length = 0;

  add(from: Buffer, begin: number, end: number): void {
    const needed = this.length + end - begin + 1;
    if (needed > this.bytes.length) {
      const wider = Buffer.allocUnsafe(needed * 2);
      this.bytes.copy(wider, 0, 0, this.length);
      this.bytes = wider;
    }
    from.copy(this.bytes, this.length, begin, end);
    this.bytes[needed - 1] = LINE_FEED;
    this.length = needed;
  }

  /** Until the next `add`. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.length = 0;
    return taken;
  }
}

interface Lines {
  path: string;
  add(text: string): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

async function openLines(path: string): Promise<Lines> {
  const file = await open(path, 'w');
  let lines: string[] = [];
  return {
    path,
    add: (text) => {
      lines.push(`"${text.replaceAll('"', '""')}"\n`);
    },
    async flush() {
      if (lines.length === 0) return;
      const text = Buffer.from(lines.join(''));
      lines = [];
      await writeAll(file, text);
    },
    close: () => file.close(),
  };
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length; )
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
}

/** Files that are written alike are read by one call: with hundreds of them the SQL stays short. */
function relation(parts: readonly Part[], wanted: readonly string[], unreadable: string | null): string {
  const groups = new Map<string, Part[]>();
  for (const part of parts) {
    const { dialect, isCopy, counts } = part;
    const isCrlf = counts.ends.crlf > 0 && !isCopy;
    const key = JSON.stringify([dialect.columns, dialect.delimiter, isCopy, isCrlf, counts.severalLines > 0]);
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  const names = wanted.map(quoteName);
  const reason = quoteName(UNREADABLE);
  const selects = [...groups.values()].map(
    (group) =>
      `SELECT ${names.join(', ')}${unreadable === null ? '' : `, CAST(NULL AS VARCHAR) AS ${reason}`} FROM ${readCsv(group)}`,
  );
  if (unreadable !== null) {
    const blank = names.map((name) => `CAST(NULL AS VARCHAR) AS ${name}`);
    selects.push(`SELECT ${[...blank, `reason AS ${reason}`].join(', ')} FROM read_csv(${quoteText(unreadable)},
      auto_detect = false, columns = {'reason': 'VARCHAR'}, header = false, delim = ',', quote = '"', escape = '"', new_line = '\\n')`);
  }
  return `(${selects.join('\nUNION ALL ')})`;
}

function readCsv(group: readonly Part[]): string {
  const [{ dialect, isCopy, counts }] = group as [Part];
  const paths = group.map(({ path }) => quoteText(withoutGlobs(path)));
  // All is said, so that DuckDB detects nothing: a guess from the first lines would be another dialect tomorrow.
  const columns = dialect.columns.map((name) => `${quoteText(name)}: 'VARCHAR'`);
  // Several threads would have to guess whether a line break stands in quotation marks.
  // Of a first row with a line break in quotation marks DuckDB takes that one for the end of lines.
  const newLine = !isCopy && counts.ends.crlf > 0 ? '\\r\\n' : '\\n';
  const parallel = counts.severalLines > 0 ? ', parallel = false' : '';
  return `read_csv([${paths.join(', ')}], auto_detect = false, columns = {${columns.join(', ')}}, header = ${!isCopy},
    delim = ${quoteText(dialect.delimiter)}, quote = '"', escape = '"', new_line = '${newLine}', max_line_size = ${DUCKDB_LINE_BYTES}${parallel})`;
}
