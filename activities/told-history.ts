import { Context } from '@temporalio/activity';
import { decodeOptionalSinglePayload } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { REPRODUCED_STAGES } from '../pipelines/contracts/reproduce.ts';
import type { Run, Stage } from '../pipelines/contracts/run.ts';
import { stageOfActivity } from '../pipelines/contracts/stage-activities.ts';

/** Those whose results a manifest tells of. */
const TOLD: readonly Stage[] = ['extract', ...REPRODUCED_STAGES];

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
    const stage = begun ? stageOfActivity(begun.activityType?.name ?? '') : null;
    if (begun && stage !== null && TOLD.includes(stage)) {
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
