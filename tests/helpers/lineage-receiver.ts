import type { RunEvent } from '../../pipelines/stages/openlineage/facets.ts';
import { type AnsweringServer, startAnsweringServer } from './answering-server.ts';

/** Its `url` is for OPENLINEAGE_URL; it answers 201 at first, as Marquez does. */
export interface LineageReceiver extends AnsweringServer {
  /** Those that it took, in the order in which they came. */
  events: RunEvent[];
  /** Of every request, those that it did not take, too. */
  requests: { path: string; authorization: string | undefined; body: string }[];
}

/** What Marquez and others are to a worker: takes OpenLineage events. */
export async function startLineageReceiver(): Promise<LineageReceiver> {
  const events: RunEvent[] = [];
  const requests: LineageReceiver['requests'] = [];
  const server = await startAnsweringServer(201, ({ path, headers, body: bytes }, status) => {
    const body = bytes.toString('utf8');
    requests.push({ path, authorization: headers.authorization, body });
    if (status < 300) events.push(JSON.parse(body));
    return '';
  });
  return { ...server, events, requests };
}
