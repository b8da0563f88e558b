import { type ErrorDetails, PipelineError } from '../../pipelines/contracts/errors.ts';

// PostgreSQL's codes: https://www.postgresql.org/docs/current/errcodes-appendix.html

/** Connections, resources, shutdowns, conflicts: better another time. */
const PASSING_CLASSES = ['08', '40', '53', '57P', '58'];
const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';
const UNDEFINED_DATABASE = '3D000';
/** Syntax and names: what such a message quotes stands in the definition; any other may quote a row's value. */
const QUOTES_DEFINITION = ['42', '0A', '25', '3F'];
/** Whatever a function of the database says. */
const RAISED = ['P0'];
const DISK_CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO', 'EMFILE']);
/** Of the client itself, without an address in them. */
const CLIENT_TEXT =
  /connection terminated|timeout expired|timeout exceeded|does not support SSL|not queryable/i;

/**
 * What broke a copy, as an error of the catalogue that names the variable and nothing of the address. The error
 * itself is not kept as the cause: it may hold an address or a value of a row.
 */
export function sourceFault(error: unknown, urlFrom: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const { code: given, message = '' } = error as { code?: unknown; message?: string };
  const code = typeof given === 'string' ? given : null;
  const details: ErrorDetails = { variable: urlFrom, code };
  if (code !== null && DISK_CODES.has(code)) {
    const text = `the copy of the query on ${urlFrom} cannot be written: ${code}; free space in the scratch folder`;
    return new PipelineError('WAREHOUSE_FAILED', text, details);
  }
  const isState = code !== null && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E');
  if (!isState) {
    const found = code ?? CLIENT_TEXT.exec(message)?.[0] ?? 'a broken connection';
    return unreachable(urlFrom, found, details);
  }
  if (code.startsWith('28') || code === UNDEFINED_DATABASE) {
    const what =
      code === UNDEFINED_DATABASE ? 'the database is not there' : 'user and password are not accepted';
    return refused(
      `PostgreSQL refuses the connection of ${urlFrom}: ${what} (${code}); correct the variable`,
      details,
    );
  }
  const isTimeout = code === QUERY_CANCELED && /statement timeout/.test(message);
  if (isTimeout) {
    return refused(
      `the query on ${urlFrom} took longer than PostgreSQL lets it (${code}); ask for less`,
      details,
    );
  }
  const isPassing = [LOCK_NOT_AVAILABLE, QUERY_CANCELED].includes(code) || startsWith(code, PASSING_CLASSES);
  if (isPassing) return unreachable(urlFrom, `${firstLine(message)} (${code})`, details);
  const text = startsWith(code, RAISED)
    ? 'a function raised an error'
    : startsWith(code, QUOTES_DEFINITION)
      ? message
      : message.replace(/".*"/s, '(value)');
  return refused(
    `the query on ${urlFrom} needs to be one SELECT that may only read, PostgreSQL says: ${firstLine(text)} (${code})`,
    details,
  );
}

function refused(message: string, details: ErrorDetails): PipelineError {
  return new PipelineError('SOURCE_REFUSED', message, details);
}

function unreachable(urlFrom: string, found: string, details: ErrorDetails): PipelineError {
  return new PipelineError(
    'SOURCE_UNREACHABLE',
    `PostgreSQL needs to answer at the address in ${urlFrom}, found: ${found}; the query is asked again from the start`,
    details,
  );
}

function startsWith(code: string, beginnings: readonly string[]): boolean {
  return beginnings.some((beginning) => code.startsWith(beginning));
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
