import { unescape as unescaped } from 'node:querystring';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { LINEAGE_CHANNEL } from '../store/postgres/add-messages.ts';
import type { OutboxMessage } from '../store/postgres/outbox.ts';
import type { ActivityContext } from './context.ts';

// Messages of the outbox over HTTP. Addresses may hold secrets: they are named by their variables.

export const TIMEOUT_MS = 10_000;

/**
 * The message itself is refused, and will be again. Not 401, 403 and 404: of a key or a path, which a person mends, or of
 * what stands before a receiver that is being replaced.
 */
const FINAL_STATUSES: readonly number[] = [400, 413, 422];

export type Sending = Pick<ActivityContext, 'log' | 'secret' | 'lineage'>;

/** No channel of a definition: of the worker's environment. */
export interface LineageChannel {
  kind: typeof LINEAGE_CHANNEL;
}

interface Post {
  kind: 'webhook' | 'slack';
  urlFrom: string;
  message: OutboxMessage;
  body: unknown;
  signal: AbortSignal;
}

export function post(context: Sending, { kind, urlFrom, ...sent }: Post): Promise<void> {
  const { url, authorization } = webAddressOf(context, kind, urlFrom);
  return postTo({ url, headers: { ...authorization }, receiver: `${kind} of ${urlFrom}` }, sent);
}

export async function postLineage(
  { lineage }: Sending,
  { message, signal }: Pick<Post, 'message' | 'signal'>,
): Promise<void> {
  if (!lineage)
    throw new PipelineError(
      'DELIVERY_FAILED',
      "openlineage needs its address in the worker's environment as OPENLINEAGE_URL",
    );
  const { url, authorization } = webAddress(lineage.url);
  const headers = lineage.apiKey ? { authorization: `Bearer ${lineage.apiKey}` } : { ...authorization };
  const receiver = 'openlineage of OPENLINEAGE_URL';
  await postTo({ url, headers, receiver }, { message, signal, body: message.payload });
}

async function postTo(
  { url, headers, receiver }: { url: URL; headers: Record<string, string>; receiver: string },
  { message, body, signal }: Pick<Post, 'message' | 'body' | 'signal'>,
): Promise<void> {
  let answer: string;
  let isFinal = false;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': keyOf(message), ...headers },
      body: JSON.stringify(body),
      // Followed, a message would become a request for the page that one logs in by, and that page's 200 its receipt.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    // Nobody reads it, and unread it holds the connection.
    await response.body?.cancel().catch(() => undefined);
    if (response.ok) return;
    const isRedirect = response.status >= 300 && response.status < 400;
    isFinal = FINAL_STATUSES.includes(response.status);
    answer = `it answered ${response.status}${isRedirect ? ', and no redirect is followed' : ''}`;
  } catch (error) {
    answer = silenceOf(error);
  }
  throw new PipelineError('DELIVERY_FAILED', `${receiver} needs to answer 2xx, ${answer}`, { isFinal });
}

/** The same in every attempt, and no other installation's: a rebuilt database counts its messages from one again. */
export function keyOf(message: OutboxMessage): string {
  return `${aboutOf(message)}/${message.event}/${message.channel}`;
}

/** The id of its run, or of the alert that stands in a run's place. */
export function aboutOf({ runId, alertId }: OutboxMessage): string {
  return (runId ?? alertId)!;
}

/** Codes of sockets, names and certificates hold no secret; an error's words may quote the address. */
export function silenceOf(error: unknown): string {
  const { name, code, cause } = error as { name?: unknown; code?: unknown; cause?: { code?: unknown } };
  if (name === 'TimeoutError') return 'it did not answer in time';
  const known = [cause?.code, code].find(
    (one): one is string => typeof one === 'string' && /^[A-Z][A-Z0-9_]*$/.test(one),
  );
  return known ? `it did not answer (${known})` : 'it did not answer';
}

interface WebAddress {
  url: URL;
  authorization?: { authorization: string };
}

function webAddressOf(context: Sending, kind: string, variable: string): WebAddress {
  const address = addressOf(context, kind, variable);
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw new PipelineError('DELIVERY_FAILED', `${kind} needs http://… or https://… in ${variable}`);
  }
  return webAddress(address);
}

/** @returns the address without the name and the password in it, and the header that says them */
function webAddress(address: string): WebAddress {
  const url = new URL(address);
  const { username, password } = url;
  if (username === '' && password === '') return { url };
  [url.username, url.password] = ['', ''];
  // Not decodeURIComponent: of a password with a percent sign that begins no code it would throw.
  const credentials = Buffer.from(`${unescaped(username)}:${unescaped(password)}`).toString('base64');
  return { url, authorization: { authorization: `Basic ${credentials}` } };
}

export function addressOf({ secret }: Sending, kind: string, variable: string): string {
  const address = secret(variable);
  if (address) return address;
  throw new PipelineError(
    'DELIVERY_FAILED',
    `${kind} needs its address in the worker's environment as ${variable}`,
  );
}
