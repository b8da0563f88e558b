import {
  ApplicationFailure,
  defaultPayloadConverter,
  type WorkflowInterceptors,
  workflowInfo,
} from '@temporalio/workflow';
// The one place that knows which handlers there are; the query that tells of them is not for code.
import { getActivator } from '@temporalio/workflow/lib/global-attributes.js';
import { shortened } from '../pipelines/contracts/inbox.ts';
import { unreadable } from '../pipelines/contracts/unreadable.ts';
import unknownWorkflow from './unknown-workflow.ts';

// What no code of a workflow can catch: a payload that cannot be decoded, a message with one of Temporal's own names or
// with none, and a start input that cannot be handed on to an activity fail the workflow task, and that task is tried
// again for ever. All are made into something that is refused in words. No command is added.

type Payloads = Parameters<typeof defaultPayloadConverter.fromPayload>[0][];
type Activate = NonNullable<NonNullable<WorkflowInterceptors['internals']>[number]['activate']>;
type Job = NonNullable<Parameters<Activate>[0]['activation']['jobs']>[number];
type Failure = ReturnType<ReturnType<typeof getActivator>['errorToFailure']>;
type Fault = (value: unknown, bytes: number) => string | null;

const RESERVED = '__temporal_';
const NAMELESS = '(no name)';
/** The input is handed on to the first activity, which takes twice as much in all. */
const START_BYTES = 32_768;
/** JSON is read at any depth, but written by recursion. */
const START_DEPTH = 20;
/** Of all updates of one workflow task; below the 2 MiB of one answer by what the words of refusals take. */
const ANSWERED_BYTES = 2_050_000;
/** How a payload is framed, and what it grows by when it is encrypted. */
const PAYLOAD_BYTES = 256;

export const interceptors = (): WorkflowInterceptors => {
  const memoIsRead = tolerateMemo();
  return {
    inbound: [
      {
        // What every object inherits is found among the workflows, too: valueOf is a type to the SDK.
        execute: (input, next) =>
          workflowInfo().workflowType in Object.prototype ? unknownWorkflow() : next(input),
      },
    ],
    internals: [
      {
        activate(input, next) {
          memoIsRead();
          const answered = answerable(input.activation.jobs ?? []);
          for (const job of answered) makeReadable(job);
          input.activation.jobs = answered;
          return next(input);
        },
        concludeActivation(input, next) {
          for (const { updateResponse } of input.commands)
            if (updateResponse?.rejected) updateResponse.rejected = inWords(updateResponse.rejected);
          return next(input);
        },
      },
    ],
  };
};

/**
 * All but the updates that this workflow task cannot answer for their size: accepted or refused, each is sent back whole
 * with the answer, and an answer above Temporal's limit ends the run. Those are left to Temporal, which refuses what no
 * worker answers. What was accepted before is in the history, and always done.
 */
function answerable(jobs: readonly Job[]): Job[] {
  let left = ANSWERED_BYTES;
  return jobs.filter(({ doUpdate }) => {
    if (!doUpdate?.runValidator) return true;
    const bytes = bytesOf(doUpdate);
    if (bytes > left) return false;
    left -= bytes;
    return true;
  });
}

/** At most so many, also in UTF-8. */
function bytesOf({ name, input, headers }: NonNullable<Job['doUpdate']>): number {
  const ofText = (text: string | null | undefined) => 3 * (text?.length ?? 0);
  const ofPayload = ({ data, metadata }: Payloads[number]) =>
    Object.entries(metadata ?? {}).reduce(
      (sum, [key, value]) => sum + ofText(key) + value.length,
      (data?.length ?? 0) + PAYLOAD_BYTES,
    );
  const ofInput = (input ?? []).reduce((sum, payload) => sum + ofPayload(payload), ofText(name));
  return Object.entries(headers ?? {}).reduce(
    (sum, [key, payload]) => sum + ofText(key) + ofPayload(payload),
    ofInput,
  );
}

/** Puts in the place of what cannot be read what handlers refuse in words. */
export function makeReadable({ initializeWorkflow, signalWorkflow, doUpdate, queryWorkflow }: Job): void {
  replaceUnreadable(initializeWorkflow?.arguments, faultOfStart);
  replaceUnreadable(signalWorkflow?.input);
  replaceUnreadable(doUpdate?.input);
  replaceUnreadable(queryWorkflow?.arguments);
  if (signalWorkflow?.signalName?.startsWith(RESERVED))
    signalWorkflow.signalName = `reserved: ${signalWorkflow.signalName}`;
  if (doUpdate && !doUpdate.name) doUpdate.name = NAMELESS;
  if (queryWorkflow && !queryWorkflow.queryType) queryWorkflow.queryType = NAMELESS;
}

/**
 * The memo is read before any interceptor is asked, and copied for the log: until then what cannot be decoded or copied
 * is read as its reason.
 *
 * @returns to be called when it was read
 */
function tolerateMemo(): () => void {
  const activator = getActivator();
  const { payloadConverter } = activator;
  activator.payloadConverter = {
    toPayload: (...given) => payloadConverter.toPayload(...given),
    fromPayload(...given: Parameters<typeof payloadConverter.fromPayload<never>>) {
      const fault = faultOfPayload(given[0], faultOfStart);
      return fault === null ? payloadConverter.fromPayload(...given) : (unreadable(fault) as never);
    },
  };
  return () => {
    activator.payloadConverter = payloadConverter;
  };
}

/** @param faultOf what else the first of them is refused for; the others are of our own making, or not heeded */
function replaceUnreadable(payloads: Payloads | null | undefined, faultOf: Fault = () => null): void {
  for (const [i, payload] of (payloads ?? []).entries()) {
    const fault = faultOfPayload(payload, i === 0 ? faultOf : () => null);
    if (fault !== null) payloads![i] = defaultPayloadConverter.toPayload(unreadable(fault));
  }
}

function faultOfPayload(payload: Payloads[number], faultOf: Fault): string | null {
  try {
    const value = defaultPayloadConverter.fromPayload(payload);
    return ArrayBuffer.isView(value) ? 'bytes' : faultOf(value, payload.data?.length ?? 0);
  } catch {
    return 'a payload that is no JSON';
  }
}

function faultOfStart(value: unknown, bytes: number): string | null {
  if (bytes > START_BYTES) return `${bytes} bytes of JSON, more than ${START_BYTES}`;
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > START_DEPTH) return `JSON of more than ${START_DEPTH} levels`;
    level = level.flatMap((part) => (typeof part === 'object' && part !== null ? Object.values(part) : []));
  }
  return null;
}

/**
 * Of an update that there is not. A default handler of updates would know it before, but has no validator: the update
 * would be accepted, and stand in the history with its failure.
 *
 * @param failure its words may be encoded, where payloads are encrypted
 */
function inWords(failure: Failure): Failure {
  const activator = getActivator();
  const { message } = activator.failureToError(failure);
  const name = message.match(/^No registered handler for update: ([\s\S]*)$/)?.[1];
  if (name === undefined) return failure;
  return activator.errorToFailure(ApplicationFailure.nonRetryable(noSuchUpdate(name), 'INPUT_INVALID'));
}

function noSuchUpdate(name: string): string {
  const { updateHandlers, queryHandlers } = getActivator();
  const [updates, queries] = [updateHandlers, queryHandlers].map((handlers) =>
    [...handlers.keys()].filter((known) => !known.startsWith('__')).join(', '),
  );
  const told = JSON.stringify(shortened(name, 60));
  return updates
    ? `an update needs one of the names ${updates}, found ${told}`
    : `no update is expected here, found ${told}; there are the queries ${queries || '(none)'}`;
}
