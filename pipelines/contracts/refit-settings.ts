import { z } from 'zod';

/** When a model that assign runs apply has served its time. Days are between as-of dates. */
export const refitSettings = z
  .strictObject({
    /** A model fitted longer ago is refitted; null: never for its age. */
    maximumAgeDays: z.int().min(1).nullable().default(90),
    /** Whether the verdicts drifted and unstable call for a refit. */
    onDrift: z.boolean().default(true),
    /** A larger share of customers unlike any segment calls for one; 1: never. */
    maximumNovelShare: z.number().min(0).max(1).default(0.02),
    /** Whether the run starts the refit that is due; false: it tells. */
    start: z.boolean().default(false),
    /** After a refit that a person turned down none is started for so many days. */
    pauseDays: z.int().min(0).default(7),
  })
  .prefault({});

export type RefitSettings = z.infer<typeof refitSettings>;
