import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { stageOfActivity } from '../../pipelines/contracts/stage-activities.ts';
import type { ActivityTraces } from '../traces/worker.ts';
import { type ActivityEnded, activityEnded, runOf } from './activity-ended.ts';
import { withinActivity } from './activity-scope.ts';

/**
 * Tells of each attempt that has ended; whatever goes wrong in telling changes nothing of the work.
 *
 * @param traces makes a span of each; undefined: none
 */
export function hearActivities(
  tell: (ended: ActivityEnded) => void,
  traces?: ActivityTraces,
): ActivityInterceptorsFactory {
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
        const { activity } = facts;
        const span = traces?.({ activity, headers: input.headers, asOf: asOfIn(argument) });
        const scope = {
          ...span?.ids,
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
            const told = activityEnded(facts, { input: argument, seconds, endedAtMs: Date.now(), ...how });
            span?.end(told);
            tell(told);
          } catch {
            // The work is what counts.
          }
        };
        return withinActivity(scope, async () => {
          try {
            const result = await (span ? span.within(() => next(input)) : next(input));
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

function asOfIn(input: unknown): string | null {
  const asOf = (input as { run?: { asOf?: unknown } } | null | undefined)?.run?.asOf;
  return typeof asOf === 'string' ? asOf : null;
}
