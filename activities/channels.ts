import nodemailer from 'nodemailer';
import { type Channel, channel as channelSchema } from '../pipelines/contracts/channels.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { letterOf, slackBody } from '../pipelines/stages/alerts/text.ts';
import type { OutboxMessage } from '../store/postgres/outbox.ts';
import type { ActivityContext } from './context.ts';

const TIMEOUT_MS = 10_000;
/** A letter takes several answers: all of them together stay below the lease of the message. */
const MAIL_TIMEOUT_MS = 20_000;

type Sending = Pick<ActivityContext, 'log' | 'secret'>;

/**
 * One message to its channel.
 *
 * @throws PipelineError DELIVERY_FAILED; addresses may hold secrets: they are named by their variables
 */
export async function send(
  context: Sending,
  { channel, message, signal }: { channel: Channel | undefined; message: OutboxMessage; signal: AbortSignal },
): Promise<void> {
  switch (channel?.kind) {
    case 'webhook':
      return post(context, { ...channel, message, signal, body: message.payload });
    case 'slack':
      return post(context, { ...channel, message, signal, body: slackBody(message.payload) });
    case 'email':
      return mail(context, { channel, message, signal });
    default: {
      const { runId, pipeline, event, payload } = message;
      const words = event === 'run.published' ? `${event}: ${pipeline} ${runId}` : letterOf(payload).subject;
      context.log.info(words, event === 'run.published' ? undefined : { text: letterOf(payload).text });
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
  const response = await fetch(addressOf(context, kind, urlFrom), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': String(message.messageId) },
    body: JSON.stringify(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  }).catch(() => null);
  if (response?.ok) return;
  const answer = response ? `it answered ${response.status}` : 'it did not answer';
  throw new PipelineError('DELIVERY_FAILED', `${kind} of ${urlFrom} needs to answer 2xx, ${answer}`);
}

interface Mail {
  channel: Extract<Channel, { kind: 'email' }>;
  message: OutboxMessage;
  signal: AbortSignal;
}

async function mail(context: Sending, { channel, message, signal }: Mail): Promise<void> {
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
      messageId: `<strata-${message.messageId}-${message.runId}@${from.split('@').at(-1)}>`,
      headers: { 'Idempotency-Key': String(message.messageId) },
    });
    await Promise.race([sending, endOf(ends)]);
  } catch (error) {
    // The server's words may quote the address: its code alone is told.
    const code = (error as { responseCode?: unknown }).responseCode;
    const answer = typeof code === 'number' ? `it answered ${code}` : 'it did not answer';
    throw new PipelineError('DELIVERY_FAILED', `email by ${smtpFrom} needs its server to take it, ${answer}`);
  } finally {
    transport?.close();
  }
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
