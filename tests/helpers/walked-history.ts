import { defaultPayloadConverter } from '@temporalio/common';
import { payloadToJSON } from '@temporalio/common/lib/proto-utils.js';
import { artifactsIn } from '../../pipelines/contracts/artifacts.ts';
import type { Stage } from '../../pipelines/contracts/run.ts';
import type { ActivityName, ActivityShop, InputOf, ResultOf } from './activity-shop.ts';
import { type Call, closingOf, type Walked } from './activity-walk.ts';

interface Performed {
  name: ActivityName;
  input: unknown;
  result: unknown;
}

/** A call that remembers what each activity was told and answered, as a history would. */
export function remembering(shop: ActivityShop): { call: Call; performed: Performed[] } {
  const performed: Performed[] = [];
  return {
    performed,
    call: async <N extends ActivityName>(name: N, input: InputOf<N>): Promise<ResultOf<N>> => {
      const result = await shop.perform(name, input);
      performed.push({ name, input, result });
      return result;
    },
  };
}

/** Publishes a walked run with the digests of all its stages, and keeps the history that its workflow would have had. */
export async function publishRemembered(
  shop: ActivityShop,
  walked: Omit<Walked, 'profile'> & Partial<Pick<Walked, 'profile'>>,
  performed: readonly Performed[],
): Promise<void> {
  const { run, match, naming } = walked;
  await shop.perform('publishRun', { run, match, naming, review: null });
  const products: [Stage, object | undefined][] = [
    ['extract', walked.extract],
    ['validate', walked.validation],
    ['profile', walked.profile],
    ['features', walked.features],
    [run.kind === 'assign' ? 'assign' : 'cluster', walked.clustering],
    ['match', match],
    ['name', naming],
    ['stability', walked.stability],
  ];
  const stages = products.flatMap(([stage, product]) => {
    if (product === undefined) return [];
    const digests = Object.fromEntries(artifactsIn(product).map(([name, { sha256 }]) => [name, sha256]));
    return [{ stage, ms: 1, digests }];
  });
  await shop.perform('closeRun', { run, closing: { ...closingOf(walked, 'published'), stages } });
  const bytes = Buffer.from(JSON.stringify({ events: performed.flatMap(eventsOf) }));
  const { artifacts, repositories } = shop.context;
  const about = { runId: run.runId, ending: 'json', rows: 2 * performed.length };
  await repositories.runs.keepHistory(run.runId, await artifacts.write('history', bytes, about));
}

function eventsOf({ name, input, result }: Performed, i: number): object[] {
  const [scheduled, completed] = [2 * i + 1, 2 * i + 2];
  return [
    {
      eventId: `${scheduled}`,
      eventType: 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED',
      activityTaskScheduledEventAttributes: { activityType: { name }, input: payloads(input) },
    },
    {
      eventId: `${completed}`,
      eventType: 'EVENT_TYPE_ACTIVITY_TASK_COMPLETED',
      activityTaskCompletedEventAttributes: { scheduledEventId: `${scheduled}`, result: payloads(result) },
    },
  ];
}

function payloads(value: unknown): object {
  return { payloads: [payloadToJSON(defaultPayloadConverter.toPayload(value)!)] };
}
