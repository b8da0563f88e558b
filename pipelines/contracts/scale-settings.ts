import { z } from 'zod';

// In how many parts the heavy stages of a run are done. Like its schedules it is no part of what a run is: any number of
// parts gives the same bytes.

/** What history keeps of every part is part of its budget of 200 KB. */
export const MOST_PARTS = 32;

export const scaleSettings = z
  .strictObject({
    /** Ranges of customers that workers take at the same time; 1: one worker does a stage as a whole. */
    parts: z.int().min(1).max(MOST_PARTS).default(1),
    /** Parts that are given out at once, the next one as soon as one is done; absent: all of them. */
    atOnce: z.int().min(1).max(MOST_PARTS).optional(),
  })
  .transform(({ parts, atOnce = parts }): Scale => ({ parts, atOnce: Math.min(parts, atOnce) }))
  .prefault({});

export interface Scale {
  parts: number;
  atOnce: number;
}
