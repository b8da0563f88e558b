import type { Context } from '@temporalio/activity';
import { decodeSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import { optionalTsToDate, requiredTsToDate } from '@temporalio/common/lib/time.js';

type TemporalClient = Context['client'];
type Page = Awaited<ReturnType<TemporalClient['workflowService']['listWorkflowExecutions']>>;

export interface ListedExecution {
  workflowId: string;
  runId: string;
  type: string;
  startTime: Date;
  closeTime: Date | undefined;
  searchAttributes: ReturnType<typeof decodeSearchAttributes>;
  raw: Page['executions'][number];
}

/**
 * Executions that a visibility query finds, page by page, without their memos: the client's own list breaks at the first
 * memo that it cannot read, and anybody may have sent one.
 *
 * @param query of the server's list filters
 */
export async function* listExecutions(
  { workflowService, options: { namespace } }: TemporalClient,
  query: string,
): AsyncGenerator<ListedExecution> {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page: Page = await workflowService.listWorkflowExecutions({
      ...{ namespace, query },
      ...(nextPageToken && { nextPageToken }),
    });
    for (const raw of page.executions) {
      yield {
        workflowId: raw.execution!.workflowId!,
        runId: raw.execution!.runId!,
        type: raw.type!.name!,
        startTime: requiredTsToDate(raw.startTime, 'startTime'),
        closeTime: optionalTsToDate(raw.closeTime),
        searchAttributes: decodeSearchAttributes(raw.searchAttributes?.indexedFields),
        raw,
      };
    }
    ({ nextPageToken } = page);
  } while (nextPageToken.length > 0);
}
