import { z } from 'zod';
import { inputFaults } from './input-faults.ts';
import type { DescribeInput } from './segmentation-service.ts';
import { PIPELINE_NAME, PIPELINE_NAME_NEEDS } from './sent-text.ts';

const describeInput = z.strictObject({
  pipeline: z.string().regex(PIPELINE_NAME, PIPELINE_NAME_NEEDS).optional(),
});

/** @throws PipelineError INPUT_INVALID with what was expected; nothing at all is a good input */
export function parseDescribeInput(sent: unknown): DescribeInput {
  const result = describeInput.safeParse(sent ?? {});
  if (result.success) return result.data;
  const { error } = result;
  throw inputFaults('describe input', { sent, error, fields: Object.keys(describeInput.shape) });
}
