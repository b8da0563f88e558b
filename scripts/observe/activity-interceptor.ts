import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { stageOfActivity } from '../../pipelines/contracts/stage-activities.ts';
import { type ActivityEnded, activityEnded, runOf } from './activity-ended.ts';
import { withinActivity } from './activity-scope.ts';

/** Tells of each attempt that has ended; whatever goes wrong in telling changes nothing of the work. */
export function hearActivities(tell: (ended: ActivityEnded) => void): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const [argument] = input.args;
        const facts = {
          activity: info.activityType,
          queue: info.taskQueue,
          workflowId: info.workflowExecution?.workflowId ?? '',
          attempt: info.attempt,
          waitSeconds: Math.max(0, Date.now() - info.currentAttemptScheduledTimestampMs) / 1_000,
        };
        const run = runOf(argument);
        const scope = {
          run: run?.runId ?? null,
          pipeline: run?.pipeline ?? null,
          stage: stageOfActivity(facts.activity),
          workflow: facts.workflowId,
          activity: facts.activity,
          queue: facts.queue,
          attempt: facts.attempt,
        };
        const startMs = performance.now();
        const ended = (how: { result: unknown } | { error: unknown }) => {
          const seconds = (performance.now() - startMs) / 1_000;
          try {
            tell(activityEnded(facts, { input: argument, seconds, ...how }));
          } catch {
            // The work is what counts.
          }
        };
        return withinActivity(scope, async () => {
          try {
            const result = await next(input);
            ended({ result });
            return result;
          } catch (error) {
            ended({ error });
            throw error;
          }
        });
      },
    },
  });
}
