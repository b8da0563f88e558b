import type { BackfillPlan, BackfillStages } from '../../pipelines/contracts/backfill.ts';

/** A plan as the real activity makes it, of these dates; a test says what is different. */
export function fakePlan(dates: string[], change: Partial<BackfillPlan> = {}): BackfillPlan {
  return {
    pipeline: 'shop',
    every: 'month',
    dates,
    done: [],
    given: { review: 'never', beforePublished: 'refuse' },
    stopOn: 'never',
    reasons: [],
    ...change,
  };
}

export const planning = (...given: Parameters<typeof fakePlan>): BackfillStages => ({
  planBackfill: async () => fakePlan(...given),
});
