import { defaultPayloadConverter, type WorkflowInterceptors } from '@temporalio/workflow';

// What no code of a workflow can catch: a payload that cannot be decoded, or a signal with one of Temporal's own names,
// fails the workflow task before any handler is called, and that task is tried again for ever. Both are made into
// something that handlers refuse in words. Nothing else is changed, and no command is added.

type Payloads = Parameters<typeof defaultPayloadConverter.fromPayload>[0][];

const RESERVED = '__temporal_';

export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      activate(input, next) {
        for (const { initializeWorkflow, signalWorkflow, doUpdate } of input.activation.jobs ?? []) {
          replaceUnreadable(initializeWorkflow?.arguments);
          replaceUnreadable(signalWorkflow?.input);
          replaceUnreadable(doUpdate?.input);
          if (signalWorkflow?.signalName?.startsWith(RESERVED))
            signalWorkflow.signalName = `reserved: ${signalWorkflow.signalName}`;
        }
        return next(input);
      },
    },
  ],
});

function replaceUnreadable(payloads: Payloads | null | undefined): void {
  for (const [i, payload] of (payloads ?? []).entries()) {
    try {
      defaultPayloadConverter.fromPayload(payload);
    } catch {
      payloads![i] = defaultPayloadConverter.toPayload({ unreadable: 'a payload that is no JSON' });
    }
  }
}
