import { PipelineError } from '../../pipelines/contracts/errors.ts';

// PostgreSQL's classes and codes that get better by waiting: https://www.postgresql.org/docs/current/errcodes-appendix.html
const TRANSIENT_CLASSES = ['08', '53', '57P', '58'];
const TRANSIENT_CODES = new Set(['40001', '40P01', '55P03', '28P01', '28000', '3D000']);
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);
const CLIENT_TEXT =
  /connection terminated|connection ended|timeout expired|timeout acquiring a connection|client has encountered a connection error|not queryable/i;

/**
 * The one translation of what comes out of PostgreSQL: what waiting may cure becomes POSTGRES_UNREACHABLE,
 * the rest is thrown on, without the fields in which PostgreSQL quotes rows (they hold customer ids).
 */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateDatabaseError(error);
  }
}

/** The same for all functions of a repository. */
export function translating<R extends Repository>(repository: R): R {
  const entries = Object.entries(repository).map(([name, call]) => [
    name,
    (...args: never[]) => translated(() => call(...args)),
  ]);
  return Object.fromEntries(entries) as R;
}

type Repository = Record<string, (...args: never[]) => Promise<unknown>>;

export function translateDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof PipelineError || error.name === 'AbortError')
    return error;
  withoutRows(error);
  const { code } = error as { code?: string };
  if (isOfTheValue(error)) {
    return new PipelineError(
      'VALUE_REFUSED',
      `a row needs values that PostgreSQL can keep, found one that it refuses (${code})`,
      { code: code! },
      { cause: error },
    );
  }
  if (!isTransient(error)) return error;
  return new PipelineError(
    'POSTGRES_UNREACHABLE',
    `PostgreSQL needs to answer, found: ${firstLine(reasonOf(error))}; it is tried again`,
    { code: code ?? null },
    { cause: error },
  );
}

/** A zero byte in a text, a number out of range: no retry makes it another. The text may quote the value. */
function isOfTheValue(error: Error): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code);
}

function isTransient(error: Error): boolean {
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') {
    if (SOCKET_CODES.has(code) || TRANSIENT_CODES.has(code)) return true;
    if (code.length === 5 && TRANSIENT_CLASSES.some((start) => code.startsWith(start))) return true;
  }
  if (error instanceof AggregateError) return error.errors.some((e) => e instanceof Error && isTransient(e));
  return CLIENT_TEXT.test(error.message);
}

/** Several addresses tried (`localhost` has two) come as one error with an empty message. */
export function reasonOf(error: Error): string {
  // knex puts the statement in front: `select … - deadlock detected`.
  if (error.message !== '')
    return error.message.slice(error.message.lastIndexOf(' - ') + 1).replace(/^- /, '');
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return first instanceof Error ? reasonOf(first) : error.name;
}

/** `Key (customer_id)=(…) already exists`, `COPY memberships_7, line 3, column …`: not for a log. */
function withoutRows(error: Error): void {
  for (const field of ['detail', 'where']) if (field in error) Reflect.deleteProperty(error, field);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
