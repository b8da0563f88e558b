import { unescape as unescaped } from 'node:querystring';
import nodemailer from 'nodemailer';
import type SMTPTransport from 'nodemailer/lib/smtp-transport/index.js';
import { type Channel, channel as channelSchema } from '../pipelines/contracts/channels.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { letterOf, slackBody } from '../pipelines/stages/alerts/text.ts';
import type { OutboxMessage } from '../store/postgres/outbox.ts';
import type { ActivityContext } from './context.ts';

const TIMEOUT_MS = 10_000;
/** A letter takes several answers: all of them together stay below the lease of the message. */
const MAIL_TIMEOUT_MS = 20_000;

type Sending = Pick<ActivityContext, 'log' | 'secret'>;

/** What is left of a delivery: the channel for those who have not taken it, and why. */
export interface Left {
  channel: Channel;
  fault: string;
}

/**
 * One message to its channel.
 *
 * @returns null where all have taken it
 * @throws PipelineError DELIVERY_FAILED; addresses may hold secrets: they are named by their variables
 */
export async function send(
  context: Sending,
  { channel, message, signal }: { channel: Channel | undefined; message: OutboxMessage; signal: AbortSignal },
): Promise<Left | null> {
  switch (channel?.kind) {
    case 'webhook':
      await post(context, { ...channel, message, signal, body: message.payload });
      return null;
    case 'slack':
      await post(context, { ...channel, message, signal, body: slackBody(message.payload) });
      return null;
    case 'email':
      return mail(context, { channel, message, signal });
    default: {
      const { pipeline, event, payload } = message;
      const words =
        event === 'run.published' ? `${event}: ${pipeline} ${aboutOf(message)}` : letterOf(payload).subject;
      context.log.info(words, event === 'run.published' ? undefined : { text: letterOf(payload).text });
      return null;
    }
  }
}

/** As it was set when the message was written; messages of before there was that have none. */
export function channelOf(message: OutboxMessage, notify: readonly Channel[]): Channel | undefined {
  if (message.settings === null) return notify[Number.parseInt(message.channel, 10)];
  const parsed = channelSchema.safeParse(message.settings);
  if (parsed.success) return parsed.data;
  throw new PipelineError(
    'DELIVERY_FAILED',
    `message ${message.messageId} needs a channel this version knows`,
  );
}

interface Post {
  kind: 'webhook' | 'slack';
  urlFrom: string;
  message: OutboxMessage;
  body: unknown;
  signal: AbortSignal;
}

async function post(context: Sending, { kind, urlFrom, message, body, signal }: Post): Promise<void> {
  const { url, authorization } = webAddressOf(context, kind, urlFrom);
  let answer: string;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': keyOf(message), ...authorization },
      body: JSON.stringify(body),
      // Followed, a message would become a request for the page that one logs in by, and that page's 200 its receipt.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    // Nobody reads it, and unread it holds the connection.
    await response.body?.cancel().catch(() => undefined);
    if (response.ok) return;
    const isRedirect = response.status >= 300 && response.status < 400;
    answer = `it answered ${response.status}${isRedirect ? ', and no redirect is followed' : ''}`;
  } catch (error) {
    answer = silenceOf(error);
  }
  throw new PipelineError('DELIVERY_FAILED', `${kind} of ${urlFrom} needs to answer 2xx, ${answer}`);
}

/** The same in every attempt, and no other installation's: a rebuilt database counts its messages from one again. */
function keyOf(message: OutboxMessage): string {
  return `${aboutOf(message)}/${message.event}/${message.channel}`;
}

/** The id of its run, or of the alert that stands in a run's place. */
function aboutOf({ runId, alertId }: OutboxMessage): string {
  return (runId ?? alertId)!;
}

/** Codes of sockets, names and certificates hold no secret; an error's words may quote the address. */
function silenceOf(error: unknown): string {
  const { name, code, cause } = error as { name?: unknown; code?: unknown; cause?: { code?: unknown } };
  if (name === 'TimeoutError') return 'it did not answer in time';
  const known = [cause?.code, code].find(
    (one): one is string => typeof one === 'string' && /^[A-Z][A-Z0-9_]*$/.test(one),
  );
  return known ? `it did not answer (${known})` : 'it did not answer';
}

/** @returns the address without the name and the password in it, and the header that says them */
function webAddressOf(
  context: Sending,
  kind: string,
  variable: string,
): { url: URL; authorization?: { authorization: string } } {
  const address = addressOf(context, kind, variable);
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new PipelineError('DELIVERY_FAILED', `${kind} needs http://… or https://… in ${variable}`);
  }
  const { username, password } = url;
  if (username === '' && password === '') return { url };
  [url.username, url.password] = ['', ''];
  // Not decodeURIComponent: of a password with a percent sign that begins no code it would throw.
  const credentials = Buffer.from(`${unescaped(username)}:${unescaped(password)}`).toString('base64');
  return { url, authorization: { authorization: `Basic ${credentials}` } };
}

interface Mail {
  channel: Extract<Channel, { kind: 'email' }>;
  message: OutboxMessage;
  signal: AbortSignal;
}

async function mail(context: Sending, { channel, message, signal }: Mail): Promise<Left | null> {
  const { smtpFrom, from, to } = channel;
  const url = addressOf(context, 'email', smtpFrom);
  // Not left to the transport: of an address that is none it would write a warning, password and all.
  if (!/^smtps?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new PipelineError('DELIVERY_FAILED', `email needs smtp://… or smtps://… in ${smtpFrom}`);
  }
  const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
  const ends = AbortSignal.any([signal, AbortSignal.timeout(MAIL_TIMEOUT_MS)]);
  let transport: ReturnType<typeof nodemailer.createTransport> | undefined;
  try {
    transport = nodemailer.createTransport({ url, ...timeouts });
    const sending = transport.sendMail({
      from,
      to,
      ...letterOf(message.payload),
      // The same in every attempt: by it a mailbox knows a letter that comes twice.
      messageId: `<strata-${message.messageId}-${aboutOf(message)}@${from.split('@').at(-1)}>`,
      headers: { 'Idempotency-Key': keyOf(message) },
    });
    return leftOf(channel, await Promise.race([sending, endOf(ends)]));
  } catch (error) {
    // The server's words may quote the address: its code alone is told.
    const code = (error as { responseCode?: unknown }).responseCode;
    const answer = typeof code === 'number' ? `it answered ${code}` : silenceOf(error);
    throw new PipelineError('DELIVERY_FAILED', `email by ${smtpFrom} needs its server to take it, ${answer}`);
  } finally {
    transport?.close();
  }
}

/** A server may take a letter for some of its addresses: the others are tried again, and they alone. */
function leftOf(
  channel: Mail['channel'],
  { rejected: to, rejectedErrors = [] }: SMTPTransport.SentMessageInfo,
): Left | null {
  if (to.length === 0) return null;
  const codes = [...new Set(rejectedErrors.map(({ responseCode }) => responseCode ?? 'nothing'))];
  return {
    channel: { ...channel, to },
    fault:
      `email by ${channel.smtpFrom} needs its server to take it for all of ${channel.to.length} addresses, ` +
      `it refused ${to.length} and answered ${codes.join(', ') || 'nothing'}`,
  };
}

/** Rejects when it is over. */
function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function addressOf({ secret }: Sending, kind: string, variable: string): string {
  const address = secret(variable);
  if (address) return address;
  throw new PipelineError(
    'DELIVERY_FAILED',
    `${kind} needs its address in the worker's environment as ${variable}`,
  );
}
