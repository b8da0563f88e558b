import { z } from 'zod';
import { MOST_PARTS, PARTS_AT_ONCE } from './parts.ts';

// In how many parts the heavy stages of a run are done. Like its schedules it is no part of what a run is: any number of
// parts gives the same bytes.

export const scaleSettings = z
  .strictObject({
    /** Ranges of customers that workers take at the same time; 1: one worker does a stage as a whole. */
    parts: z.int().min(1).max(MOST_PARTS).default(1),
    /** Parts that are given out at once, the next one as soon as one is done; absent: 8. */
    atOnce: z.int().min(1).max(MOST_PARTS).optional(),
  })
  .transform(({ parts, atOnce = PARTS_AT_ONCE }): Scale => ({ parts, atOnce: Math.min(parts, atOnce) }))
  .prefault({});

export interface Scale {
  parts: number;
  atOnce: number;
}
