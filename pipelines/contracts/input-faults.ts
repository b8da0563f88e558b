import type { z } from 'zod';
import { PipelineError } from './errors.ts';
import { unreadableIn } from './unreadable.ts';

const FAULTS_TOLD = 5;
const FAULT_LENGTH = 200;

/** Why an input is refused: each field, what was expected, and the fields there are. Bounded, whatever was sent. */
export function inputFaults(
  what: string,
  { sent, error, fields }: { sent: unknown; error: z.ZodError; fields: readonly string[] },
): PipelineError {
  const found = unreadableIn(sent);
  const faults =
    found === null
      ? error.issues.map(({ path, message }) => cut(`${path.join('.') || 'input'}: ${message}`))
      : [`needs one JSON object, found ${found}`];
  const more = faults.length > FAULTS_TOLD ? `; and ${faults.length - FAULTS_TOLD} more` : '';
  const told = faults.slice(0, FAULTS_TOLD).join('; ');
  return new PipelineError(
    'INPUT_INVALID',
    `${what}: ${told}${more} (fields: ${fields.join(', ')}, all optional)`,
  );
}

function cut(text: string): string {
  return text.length > FAULT_LENGTH ? `${text.slice(0, FAULT_LENGTH - 1)}…` : text;
}
