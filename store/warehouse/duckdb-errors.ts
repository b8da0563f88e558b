import { type ErrorCode, PipelineError } from '../../pipelines/contracts/errors.ts';

/** Kinds of DuckDB error that the SQL text or the values it meets cause: the same again on every attempt. */
const STATEMENT_FAULTS = new Set([
  'Binder',
  'Catalog',
  'Conversion',
  'Expression',
  'Invalid Input',
  'Invalid Type',
  'Mismatch Type',
  'Not implemented',
  'Out of Range',
  'Parser',
  'Syntax',
]);

/** Kinds whose quotation marks hold names of columns and functions, never values of rows. */
const QUOTES_NAMES = new Set(['Binder', 'Catalog', 'Parser', 'Syntax', 'Permission', 'IO']);

export interface DuckDbFault {
  /** `Binder`, `Conversion`, `IO`, … as DuckDB calls it; `CSV` for a bad line, `Unknown` for any other form. */
  kind: string;
  /** First paragraph on one line, without the statement and without any value of a row. */
  message: string;
}

/** What DuckDB said, fit for a log: its conversion errors quote the value they met. */
export function readFault(error: unknown): DuckDbFault {
  const text = error instanceof Error ? error.message : String(error);
  const [, kind = 'Unknown', rest = text] = /^([A-Za-z ]+?) Error: ([\s\S]*)$/.exec(text) ?? [];
  const line = /^CSV Error on Line: (\d+)/.exec(rest)?.[1];
  if (line !== undefined) return { kind: 'CSV', message: `line ${line} ${csvReason(rest)}` };
  const paragraph = (rest.split(/\n\s*\n|\nLINE \d|\s*Possible (?:fixes|Solution)/, 1)[0] ?? '')
    .replace(/\s+/g, ' ')
    .trim();
  return { kind, message: (QUOTES_NAMES.has(kind) ? paragraph : withoutValues(paragraph)).slice(0, 400) };
}

/** DuckDB's own text quotes the line. */
function csvReason(text: string): string {
  const [, expected, found] = /^Expected Number of Columns: (\d+) Found: (\d+)$/m.exec(text) ?? [];
  if (found !== undefined) return `has ${found} fields where the header has ${expected}`;
  if (/^Value with unterminated quote found/m.test(text)) return 'has a quotation mark that is never closed';
  if (/^Invalid unicode/m.test(text)) return 'is not UTF-8 text; save the file as UTF-8';
  if (/^Maximum line size/m.test(text)) return 'is longer than DuckDB reads';
  return 'does not have the form of the header';
}

function withoutValues(message: string): string {
  return message
    .replace(/'[^']*'?/g, '(value)')
    .replace(/"[^"]*"?/g, '(value)')
    .replace(/(?<![A-Za-z0-9])-?\d[\d.:-]*/g, '(number)');
}

export function isStatementFault({ kind }: DuckDbFault): boolean {
  return STATEMENT_FAULTS.has(kind);
}

export function isInterrupt(error: unknown): boolean {
  return readFault(error).kind === 'INTERRUPT' || /\binterrupted\b/i.test(readFault(error).message);
}

/**
 * DuckDB's error as one of the catalogue. The error itself is not kept as the cause: its message may hold
 * values of rows.
 *
 * @param part what of the definition is at fault (`feature spendCents`), where that is known
 */
export function translateFault(fault: DuckDbFault, part?: string): PipelineError {
  const code: ErrorCode =
    part !== undefined && isStatementFault(fault) ? 'FEATURE_INVALID' : 'WAREHOUSE_FAILED';
  const subject = part === undefined ? 'the warehouse engine' : part;
  return new PipelineError(code, `${subject} failed: ${fault.kind} error: ${fault.message}${wayOut(fault)}`, {
    kind: fault.kind,
    ...(part === undefined ? {} : { part }),
  });
}

function wayOut({ kind, message }: DuckDbFault): string {
  if (/No space left/i.test(message)) return '; free space where it writes';
  if (kind === 'Out of Memory') return '; allow it more memory or more room in its temporary folder';
  return '';
}
