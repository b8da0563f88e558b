import { Context } from '@temporalio/activity';
import { decodeOptionalSinglePayload } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Run, Stage } from '../pipelines/contracts/run.ts';

/** The activities of a run whose results its manifest tells of. */
const STAGE_OF: Readonly<Record<string, Stage>> = {
  extractCustomers: 'extract',
  validateExtract: 'validate',
  profileExtract: 'profile',
  buildFeatures: 'features',
  fitClusters: 'cluster',
  assignSegments: 'assign',
  matchIdentities: 'match',
  keepIdentities: 'match',
  nameSegments: 'name',
  measureStability: 'stability',
};

/** What a stage was told, and what it answered. */
export interface ToldStage {
  stage: Stage;
  input: { run: Run };
  result: object;
}

/**
 * What a run's stages were told and answered, in their order, read from its history; of one that was done twice, after a
 * reset, the last time.
 *
 * @throws TypeError when the text is no history
 */
export async function toldStages(text: string): Promise<ToldStage[]> {
  const { events } = historyFromJSON(JSON.parse(text));
  const { loadedDataConverter } = Context.current().client.options;
  const scheduled = new Map<string, { stage: Stage; input: { run: Run } }>();
  const told = new Map<Stage, ToldStage>();
  for (const event of events ?? []) {
    const begun = event.activityTaskScheduledEventAttributes;
    const stage = STAGE_OF[begun?.activityType?.name ?? ''];
    if (begun && stage !== undefined) {
      const input = await decodeOptionalSinglePayload<{ run: Run }>(
        loadedDataConverter,
        begun.input?.payloads?.[0],
      );
      if (input) scheduled.set(String(event.eventId), { stage, input });
    }
    const ended = event.activityTaskCompletedEventAttributes;
    const call = ended && scheduled.get(String(ended.scheduledEventId));
    if (!call) continue;
    const result = await decodeOptionalSinglePayload<object>(
      loadedDataConverter,
      ended.result?.payloads?.[0],
    );
    if (result) told.set(call.stage, { ...call, result });
  }
  return [...told.values()];
}
