import { parseDocument } from 'yaml';
import type { z } from 'zod';

export interface FileReport {
  file: string;
  faults: string[];
}

/** A YAML file under a schema; undefined when there are faults, which are in the report then. */
export function readYaml<T>(
  schema: z.ZodType<T>,
  text: string,
  report: FileReport,
): { data: T; value: unknown } | undefined {
  const document = parseDocument(text, { prettyErrors: true });
  // What follows upon the first is what the parser made of it.
  const [fault] = document.errors;
  if (fault) {
    report.faults.push(`${report.file}: ${firstLine(fault.message)}`);
    return undefined;
  }
  const value: unknown = document.toJS();
  const result = schema.safeParse(value);
  if (result.success) return { data: result.data, value };
  tellFaults(result.error.issues, value, report);
  return undefined;
}

/** Each fault with its file and path, and what stands there now. */
export function tellFaults(
  faults: readonly { path: readonly PropertyKey[]; message: string }[],
  value: unknown,
  report: FileReport,
): void {
  for (const { path, message } of faults) {
    const place = path.map(String).join('.') || '(whole file)';
    report.faults.push(`${report.file}: ${place}: ${message}${found(value, path)}`);
  }
}

const MOST_CHARACTERS = 80;

function found(value: unknown, path: readonly PropertyKey[]): string {
  let at: unknown = value;
  for (const key of path) at = at != null && typeof at === 'object' ? Reflect.get(at, key) : undefined;
  if (at === undefined || (at !== null && typeof at === 'object')) return '';
  // Something else given in place of the file, an extract say, is one long text: its rows belong into no message.
  if (path.length === 0) return `, found ${at === null ? 'nothing' : `a single ${typeof at}`}`;
  return `, found ${JSON.stringify(typeof at === 'string' ? at.slice(0, MOST_CHARACTERS) : at)}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
