import nodemailer from 'nodemailer';
import type SMTPTransport from 'nodemailer/lib/smtp-transport/index.js';
import { type Channel, channel as channelSchema } from '../pipelines/contracts/channels.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { letterOf, slackBody } from '../pipelines/stages/alerts/text.ts';
import { LINEAGE_CHANNEL } from '../store/postgres/add-messages.ts';
import type { OutboxMessage } from '../store/postgres/outbox.ts';
import {
  aboutOf,
  addressOf,
  keyOf,
  type LineageChannel,
  post,
  postLineage,
  type Sending,
  silenceOf,
  TIMEOUT_MS,
} from './post.ts';

/** A letter takes several answers: all of them together stay below the lease of the message. */
const MAIL_TIMEOUT_MS = 20_000;

/** What is left of a delivery: the channel for those who have not taken it, and why. */
export interface Left {
  channel: Channel;
  fault: string;
}

interface Sent {
  channel: Channel | LineageChannel | undefined;
  message: OutboxMessage;
  signal: AbortSignal;
}

/**
 * One message to its channel.
 *
 * @returns null where all have taken it
 * @throws PipelineError DELIVERY_FAILED; addresses may hold secrets: they are named by their variables
 */
export async function send(context: Sending, { channel, message, signal }: Sent): Promise<Left | null> {
  switch (channel?.kind) {
    case 'webhook':
      await post(context, { ...channel, message, signal, body: message.payload });
      return null;
    case 'slack':
      await post(context, { ...channel, message, signal, body: slackBody(message.payload) });
      return null;
    case LINEAGE_CHANNEL:
      await postLineage(context, { message, signal });
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
export function channelOf(message: OutboxMessage, notify: readonly Channel[]): Sent['channel'] {
  if (message.settings === null) return notify[Number.parseInt(message.channel, 10)];
  if (message.channel === LINEAGE_CHANNEL) return { kind: LINEAGE_CHANNEL };
  const parsed = channelSchema.safeParse(message.settings);
  if (parsed.success) return parsed.data;
  throw new PipelineError(
    'DELIVERY_FAILED',
    `message ${message.messageId} needs a channel this version knows`,
  );
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
