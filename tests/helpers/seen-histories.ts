import type { Client, WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

interface Payload {
  metadata: { encoding: string };
  data?: string;
}

const textOf = (base64 = '') => Buffer.from(base64, 'base64').toString('utf8');

/** @param isSearched of those that the server searches by, or of all others */
function payloadsIn(value: unknown, isSearched: boolean, inSearched = false): Payload[] {
  if (typeof value !== 'object' || value === null) return [];
  if ((value as Partial<Payload>).metadata?.encoding)
    return isSearched === inSearched ? [value as Payload] : [];
  return Object.entries(value).flatMap(([key, inner]) =>
    payloadsIn(inner, isSearched, inSearched || key === 'indexedFields'),
  );
}

/** What the server has of an execution. */
export interface Seen {
  id: string;
  json: string;
  /** Their bytes as text. */
  payloads: string[];
  searched: string[];
  /** Of payloads that nobody searches by. */
  encodings: Set<string>;
}

/** What the server has of all executions, in clear and in payloads. */
export async function historiesSeen({ workflow }: Client): Promise<Seen[]> {
  const found: Seen[] = [];
  for await (const { workflowId, runId } of workflow.list())
    found.push(await historySeen(workflow.getHandle(workflowId, runId)));
  return found;
}

export async function historySeen(handle: WorkflowHandle): Promise<Seen> {
  const json = historyToJSON(await handle.fetchHistory());
  const [payloads, searched] = [false, true].map((which) => payloadsIn(JSON.parse(json), which));
  return {
    ...{ id: handle.workflowId, json },
    payloads: payloads!.map(({ data }) => textOf(data)),
    searched: searched!.map(({ data }) => textOf(data)),
    encodings: new Set(payloads!.map(({ metadata }) => textOf(metadata.encoding))),
  };
}
