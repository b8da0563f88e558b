import type { Context } from '@temporalio/activity';
import {
  decode,
  visit,
  walkGetWorkflowExecutionHistoryResponse,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import { isNotFound } from './executions.ts';

export type TemporalClient = Context['client'];
export type History = Awaited<
  ReturnType<ReturnType<TemporalClient['workflow']['getHandle']>['fetchHistory']>
>;

/**
 * The history of an execution; null when it was deleted. Decrypted, where payloads are encrypted: it has to replay when
 * no one has today's keys any more, and tells less than the artifacts beside it.
 */
export async function readHistory(
  { workflow: executions, options }: TemporalClient,
  { id, runId }: { id: string; runId: string },
): Promise<History | null> {
  const { payloadCodecs } = options.loadedDataConverter;
  try {
    const history = await executions.getHandle(id, runId).fetchHistory();
    await visit({ history }, walkGetWorkflowExecutionHistoryResponse, {
      transformPayload: async (payload) => (await decode(payloadCodecs, [payload]))[0]!,
      transformPayloads: (payloads) => decode(payloadCodecs, payloads),
      skipHeaders: true,
      skipSearchAttributes: true,
    });
    return history;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}
