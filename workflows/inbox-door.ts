import {
  ApplicationFailure,
  defineSignal,
  defineUpdate,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import { type MessageAnswer, shortened } from '../pipelines/contracts/inbox.ts';
import {
  MESSAGES,
  type Message,
  type MessageName,
  readMessage,
} from '../pipelines/contracts/inbox-message.ts';
import { nowMs } from './clock.ts';

const NAME_LENGTH = 60;

/** A message that was let in and is not sorted into a run yet. */
export interface Arrival {
  message: Message;
  at: number;
  /** Of one that was sent as an update, whose sender waits: what became of it, or why it was refused. */
  answer?: (answer: MessageAnswer | string) => void;
}

const DESCRIPTIONS: Record<MessageName, string> = {
  extractLanded:
    'An extract has landed: {"input": "orders", "extract": "/data/orders.parquet", "asOf": "2026-07-01", "id": "load-17"}, each may be left out',
  requestRun:
    'A run is wanted, whatever has landed: {"kind": "refit" or "assign", "extract": …, "asOf": "2026-07-01", "id": "load-17"}, each may be left out',
};

/**
 * From here on messages are let in, by signal from pipelines, who get no answer, and by update from people, who do.
 *
 * @param refused told of each that is none
 * @returns what has arrived, in order; whoever sorts takes it out
 */
export function openDoor(refused: (message: string, reason: string) => void): Arrival[] {
  const arrived: Arrival[] = [];
  for (const name of MESSAGES) {
    setHandler(
      defineSignal<unknown[]>(name),
      (...sent) => {
        const message = readMessage(name, sent);
        if (typeof message === 'string') refused(name, message);
        else arrived.push({ message, at: nowMs() });
      },
      { description: DESCRIPTIONS[name] },
    );
    setHandler(
      defineUpdate<MessageAnswer, unknown[]>(name),
      async (...sent) => {
        const answer = await new Promise<MessageAnswer | string>((answered) => {
          arrived.push({ message: readMessage(name, sent) as Message, at: nowMs(), answer: answered });
        });
        return typeof answer === 'string' ? refuse(answer) : answer;
      },
      {
        description: `${DESCRIPTIONS[name]}; says which run it is in, or why it is refused`,
        validator(...sent) {
          const message = readMessage(name, sent);
          if (typeof message === 'string') refuse(message);
        },
      },
    );
  }
  // A misspelt signal would vanish without a word.
  setDefaultSignalHandler((name) => {
    refused(shortened(name, NAME_LENGTH), `no signal has this name; there are ${MESSAGES.join(' and ')}`);
  });
  return arrived;
}

function refuse(reason: string): never {
  throw ApplicationFailure.nonRetryable(reason, 'INPUT_INVALID');
}
