import { z } from 'zod';
import { inputFaults } from './input-faults.ts';
import { BEFORE_PUBLISHED, type RunKind, type StartInput } from './run.ts';
import { isOneLine, ONE_LINE } from './sent-text.ts';
import { isTimeZone } from './shop-date.ts';

/** Numbers of segments that a person may ask for. */
export const SEGMENTS = { least: 2, most: 64 } as const;
export const SEGMENT_COUNT = `needs a whole number from ${SEGMENTS.least} to ${SEGMENTS.most}`;

/** A file to read in place of the definition's source. */
export const extractLocation = z.string().min(1).max(4096).refine(isOneLine, { error: ONE_LINE });

const startInput = z.strictObject({
  pipeline: z.string().min(1).max(40).optional(),
  asOf: z.iso.date().optional(),
  extract: extractLocation.optional(),
  seed: z.int().min(0).max(0xffff_ffff).optional(),
  review: z.enum(['never', 'when-unstable', 'always']).optional(),
  k: z.int(SEGMENT_COUNT).min(SEGMENTS.least, SEGMENT_COUNT).max(SEGMENTS.most, SEGMENT_COUNT).optional(),
  beforePublished: z.enum(BEFORE_PUBLISHED).optional(),
  timezone: z
    .string()
    .refine(isTimeZone, { error: 'needs an IANA time zone such as Europe/London' })
    .optional(),
});

/** The seed and the number of segments are the model's, which is of what readers see. */
const assignInput = startInput.omit({ seed: true, k: true, beforePublished: true });

/**
 * What a person or a pipeline sent to start a run; nothing at all is a good input.
 *
 * @throws PipelineError INPUT_INVALID naming each field, what was expected, and the fields there are
 */
export function parseStartInput(input: unknown, kind: RunKind = 'refit'): StartInput {
  const schema = kind === 'assign' ? assignInput : startInput;
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const { error } = result;
  throw inputFaults('start input', { sent: input, error, fields: Object.keys(schema.shape) });
}
