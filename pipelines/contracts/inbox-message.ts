import type { InboxSettings } from './inbox-settings.ts';
import type { RunKind } from './run.ts';
import { isOneLine, ONE_LINE } from './sent-text.ts';
import { unreadableIn } from './unreadable.ts';

// Messages to an inbox, checked by hand: pipelines send them, nobody reads an answer to a signal, and whatever it is that
// they send, the inbox goes on.

export const MESSAGES = ['extractLanded', 'requestRun'] as const;
export type MessageName = (typeof MESSAGES)[number];

/** A message whose form is right; whether its input is one of the pipeline's, the settings say. */
export interface Message {
  name: MessageName;
  input: string | null;
  kind: RunKind | null;
  extract: string | null;
  asOf: string | null;
  id: string | null;
}

export const LONGEST = { id: 100, extract: 1_024, input: 40 } as const;

const FIELDS: Record<MessageName, readonly string[]> = {
  extractLanded: ['input', 'extract', 'asOf', 'id'],
  requestRun: ['kind', 'extract', 'asOf', 'id'],
};

const EXAMPLES: Record<MessageName, string> = {
  extractLanded:
    '{"input": "orders", "extract": "/data/orders.parquet", "asOf": "2026-07-01", "id": "load-17"}',
  requestRun:
    '{"kind": "refit" or "assign", "extract": "/data/x.parquet", "asOf": "2026-07-01", "id": "load-17"}',
};

/** The message, or why it is none, in words that repeat nothing long and no location. */
export function readMessage(name: MessageName, sent: readonly unknown[]): Message | string {
  const fault = sent.length > 1 ? `found ${sent.length} values` : faultOf(name, sent[0] ?? {});
  if (fault) return `${name} needs one JSON object such as ${EXAMPLES[name]}, every field optional; ${fault}`;
  const { input, kind, extract, asOf, id } = (sent[0] ?? {}) as Record<string, string | null | undefined>;
  return {
    ...{ name, input: input ?? null, kind: (kind ?? null) as RunKind | null },
    ...{ extract: extract ?? null, asOf: asOf ?? null, id: id ?? null },
  };
}

function faultOf(name: MessageName, sent: unknown): string | null {
  if (typeof sent === 'string')
    return 'found a text: the object itself is to be sent, not its JSON as a text';
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
    return `found ${Array.isArray(sent) ? 'a list' : `a ${typeof sent}`}`;
  const found = unreadableIn(sent);
  if (found !== null) return `found ${found}`;
  const unknown = Object.keys(sent).filter((field) => !FIELDS[name].includes(field));
  if (unknown.length > 0) return `found unknown fields ${unknown.slice(0, 5).map(quoted).join(', ')}`;
  for (const field of FIELDS[name]) {
    const value: unknown = Reflect.get(sent, field);
    // Senders that fill in a template send null for what they do not have.
    const fault = value === undefined || value === null ? null : faultOfField(field, value);
    if (fault) return `${field}: ${fault}`;
  }
  return null;
}

function faultOfField(field: string, value: unknown): string | null {
  if (typeof value !== 'string')
    return `needs a text, found ${Array.isArray(value) ? 'a list' : typeof value}`;
  if (value.trim() === '') return 'needs a text that is not empty, or to be left out';
  const longest = LONGEST[field as keyof typeof LONGEST];
  if (longest && value.length > longest) return `needs at most ${longest} characters, found ${value.length}`;
  if (field === 'kind' && value !== 'refit' && value !== 'assign')
    return `needs refit or assign, found ${quoted(value)}`;
  if (field === 'asOf' && !isDate(value))
    return `needs an ISO date such as 2026-07-01, found ${quoted(value)}`;
  if (field === 'extract' && !isOneLine(value)) return ONE_LINE;
  if (field === 'extract' && holdsCredential(value))
    return 'needs a location without user, password, key or signature: credentials belong into the environment of the worker';
  return null;
}

/** A user before the host, or a parameter that grants access: a payload is kept in the history for everyone to read. */
export function holdsCredential(location: string): boolean {
  return (
    /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i.test(location) ||
    /[?&;](?:[^=&;]*(?:pass|secret|token|signature|credential|accesskey)[^=&;]*|sig|key|api_?key)=/i.test(
      location,
    )
  );
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}

/** What the settings have against a message; null: nothing. A landing that names no input is of the only one. */
export function refusedBy(settings: InboxSettings, { name, input, extract }: Message): string | null {
  if (name === 'requestRun') return null;
  const { inputs } = settings;
  const known = `one of the pipeline's inputs (${inputs.join(', ')})`;
  if (input === null && inputs.length > 1) return `extractLanded needs input, ${known}; found none`;
  if (input !== null && inputs.length > 0 && !inputs.includes(input))
    return `extractLanded needs as input ${known}, found ${quoted(input)}`;
  if (extract !== null && !isTransactions(settings, input ?? inputs[0] ?? null))
    return `extractLanded: extract is for the input of the transactions, which inbox.extract in pipeline.yaml names (${settings.extract ?? 'it names none'}); of the others the location stands in the definition`;
  return null;
}

/** Whether messages of the input may name a file: where there is one input, or none, it is that of the transactions. */
function isTransactions({ inputs, extract }: InboxSettings, input: string | null): boolean {
  if (inputs.length === 0) return true;
  return input === (extract ?? (inputs.length === 1 ? inputs[0] : undefined));
}
