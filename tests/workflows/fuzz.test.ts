import { describe, expect, test } from 'vitest';
import { fuzzMessages } from '../helpers/fuzz-messages.ts';
import { fuzz } from '../helpers/fuzz-run.ts';
import { fuzzStages } from '../helpers/fuzz-stages.ts';
import { bundleWorkflows, withWorker } from '../helpers/temporal.ts';

/** `npm run bench -- fuzz` sends a thousand, and others. */
const MESSAGES = 150;
const SEED = 7;

describe('whatever callers send', () => {
  test('leaves no run with a failing workflow task, and each refusal says what was expected', async () => {
    const bundle = await bundleWorkflows();
    await withWorker({ bundle, activities: fuzzStages() }, async (runs) => {
      const { sent, faults, answers, executions } = await fuzz(runs, fuzzMessages(MESSAGES, SEED));
      expect(faults).toEqual([]);
      expect(Object.values(sent).reduce((sum, count) => sum + count)).toBe(MESSAGES);
      // A generator that sends nothing right, or nothing wrong, would find nothing.
      expect(Math.min(...Object.values(sent), answers.taken, answers.refused)).toBeGreaterThan(10);
      expect(Math.min(executions.open, executions.failed)).toBeGreaterThan(5);
    });
  }, 300_000);
});
