import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { withBoundary } from '../../activities/boundary.ts';
import { parseBackfillInput } from '../../pipelines/contracts/backfill.ts';
import { parseCompareInput } from '../../pipelines/contracts/compare.ts';
import { parseStartInput } from '../../pipelines/contracts/input.ts';
import type { WatchStages } from '../../pipelines/contracts/missed-runs.ts';
import { parseReproduceInput, type ReproduceStages } from '../../pipelines/contracts/reproduce.ts';
import { asOfDates } from '../../pipelines/stages/backfill.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { listDefinitions, loadDefinition } from '../../store/definitions.ts';
import { fakePlan } from './fake-backfill-stages.ts';
import { fakeCompareStages } from './fake-compare-stages.ts';
import { fakeReproduceStages, openedReproduction } from './fake-reproduce-stages.ts';
import { fakeStages, unstable } from './fake-stages.ts';
import { inboxStages } from './inbox.ts';

/** Beginning of the ids of those that stay open until they are cancelled. */
export const STAYS = 'fuzz-stays/';
/** Its outbox is never empty. */
export const FULL_OUTBOX = 'full-outbox';

const DEFINITIONS = join(PROJECT_FOLDER, 'pipelines/definitions');

/** Refuses a pipeline that is not defined, as the real activities do. */
async function requireDefined(pipeline: string): Promise<void> {
  if (!(await listDefinitions(DEFINITIONS)).includes(pipeline)) await loadDefinition(DEFINITIONS, pipeline);
}

/** As long as its run is not cancelled. */
async function stays(id: string): Promise<void> {
  if (!id.startsWith(STAYS)) return;
  const context = Context.current();
  for (;;) {
    context.heartbeat();
    await Promise.race([context.cancelled, sleep(1_000)]);
  }
}

/**
 * Stages that refuse what the real ones refuse, by the same code, and find a small shop in what they take: its runs are
 * held, its comparisons go on.
 */
export function fuzzStages() {
  const healthy = { ...fakeStages(), ...fakeCompareStages() };
  return withBoundary({
    ...healthy,
    ...inboxStages(),
    ...fakeReproduceStages(),
    measureStability: unstable,
    async openRun(opening: Parameters<typeof healthy.openRun>[0]) {
      const input = parseStartInput(opening.input, opening.kind);
      await requireDefined(input.pipeline ?? 'shop');
      return healthy.openRun({ ...opening, input });
    },
    async openComparison(opening: Parameters<typeof healthy.openComparison>[0]) {
      await requireDefined(parseCompareInput(opening.input).pipeline ?? 'shop');
      return healthy.openComparison(opening);
    },
    async fitCandidate(given: Parameters<typeof healthy.fitCandidate>[0]) {
      await stays(given.run.workflow.id);
      return healthy.fitCandidate(given);
    },
    async planBackfill({ input }: { input: unknown }) {
      const { pipeline = 'shop', from, to, every, stopOn } = parseBackfillInput(input);
      await requireDefined(pipeline);
      const asked = { from, to, every, publishedAsOf: '2026-05-01', lastKnown: '2026-07-01' };
      return fakePlan(asOfDates(asked), { pipeline, every, stopOn });
    },
    async openReproduction({ input, workflow }: Parameters<ReproduceStages['openReproduction']>[0]) {
      parseReproduceInput(input);
      await stays(workflow.id);
      return openedReproduction(workflow);
    },
    async awaitClosed({ workflow }: Parameters<typeof healthy.awaitClosed>[0]) {
      await stays(workflow.id);
      return { workflow };
    },
    async tellMissedRuns(_given: Parameters<WatchStages['tellMissedRuns']>[0]) {
      await stays(Context.current().info.workflowExecution!.workflowId);
      return { schedules: 0, missing: 0, waiting: 0, unread: [] };
    },
    deliverPipeline: async ({ pipeline }: { pipeline: string }) => ({
      secondsToNext: pipeline === FULL_OUTBOX ? 600 : null,
    }),
    async readInbox({ pipeline }: { pipeline: string }) {
      await requireDefined(pipeline);
      return inboxStages().readInbox({ pipeline });
    },
  });
}
