import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import type { Closing } from '../../pipelines/contracts/stages.ts';
import { fakeRef, fakeStages, openedInParts } from '../helpers/fake-stages.ts';
import { moment } from '../helpers/moment.ts';
import { codeOf, runWith, untilOutcome } from '../helpers/workflow-runs.ts';

const SCALE = { parts: 8, atOnce: 3 };

/** Work that counts how much of it goes on at the same time. */
function watched() {
  const seen = { now: 0, most: 0, calls: [] as number[] };
  const work = async <R>(number: number, ends: () => Promise<void>, result: R): Promise<R> => {
    seen.calls.push(number);
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    try {
      await ends();
      return result;
    } finally {
      seen.now -= 1;
    }
  };
  /** A part that would take far longer than a test, and hears of a cancel. */
  const long = async (part: number) => {
    const timer = setInterval(() => Context.current().heartbeat(), 50);
    try {
      return await work(part, () => Context.current().sleep(20_000), { part: fakeRef('part'), ms: 5 });
    } finally {
      clearInterval(timer);
    }
  };
  return { seen, work, long };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(10);
}

describe('a run in parts', () => {
  test('gives out no more parts at once than the definition says, the next as soon as one is done', async () => {
    const { seen, work } = watched();
    const asked: number[][] = [];
    let since: string | undefined;
    let firstAtMs: number | undefined;
    await runWith(
      {
        openRun: openedInParts(SCALE),
        // The first ends when all others have begun, the next two when all three are going on.
        aggregatePart: ({ part }) => {
          firstAtMs ??= Date.now();
          return work(
            part,
            async () => {
              if (part === 0) await until(() => seen.calls.length === SCALE.parts);
              else if (part < SCALE.atOnce) await until(() => seen.most === SCALE.atOnce);
            },
            { part: { ...fakeRef('part'), rows: part }, ms: 5 },
          );
        },
        buildFeatures: async (input) => {
          asked.push(input.parts!.map(({ part }) => part.rows));
          ({ since } = input);
          return fakeStages().buildFeatures(input);
        },
      },
      async (runs) => {
        const handle = await runs.start();
        const summary: RunSummary = await handle.result();
        expect(summary.outcome).toBe('published');
        expect(seen.most).toBe(SCALE.atOnce);
        expect(seen.calls.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        // Joined in their own order, whichever was done first.
        expect(asked).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]]);
        // So that the stage's time is that of its parts, too.
        expect(Date.parse(since!)).toBeLessThanOrEqual(firstAtMs!);
        await runs.record(handle, 'parted');
      },
    );
  });

  test('assigns in parts by the published model', async () => {
    const numbers: number[] = [];
    await runWith(
      {
        openRun: openedInParts(SCALE),
        assignPart: async ({ part }) => {
          numbers.push(part);
          return { labels: fakeRef('part'), ms: 1 };
        },
        assignSegments: async (input) => {
          expect(input.parts).toHaveLength(SCALE.parts);
          return fakeStages().assignSegments(input);
        },
      },
      async (runs) => {
        const handle = await runs.start({}, 'assignCustomers');
        expect(await handle.result()).toMatchObject({ outcome: 'published', kind: 'assign' });
        expect(numbers.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        await runs.record(handle, 'assigned-parted');
      },
    );
  });

  test('tells how many parts are done while it goes on', async () => {
    const gate = moment();
    await runWith(
      {
        openRun: openedInParts({ parts: 3, atOnce: 3 }),
        loadMemberships: async ({ part }) => {
          if (part === 2) await gate.happened;
          return { rows: 10, ms: 1 };
        },
      },
      async (runs) => {
        const handle = await runs.start();
        let progress: RunProgress;
        do {
          await sleep(50);
          progress = await handle.query<RunProgress>('progress');
        } while (progress.parts?.done !== 2 || progress.stage !== 'persist');
        expect(progress.parts).toMatchObject({ done: 2, of: 3, since: expect.stringMatching(/^20..-.*Z$/) });
        gate.happens();
        await handle.result();
        expect((await handle.query<RunProgress>('progress')).parts).toBeUndefined();
      },
    );
  });

  test('of which one breaks lets those going on end, begins no other, and fails with its code', async () => {
    const { seen, long } = watched();
    const closed: Closing[] = [];
    await runWith(
      {
        openRun: openedInParts(SCALE),
        aggregatePart: async ({ part }) => {
          if (part === 1)
            throw ApplicationFailure.nonRetryable('feature spend needs a number', 'FEATURE_INVALID');
          return long(part);
        },
        closeRun: async (input) => {
          expect(seen.now).toBe(0);
          closed.push(input.closing);
          return fakeStages().closeRun(input);
        },
      },
      async (runs) => {
        const handle = await runs.start();
        const error = await handle.result().catch((fault: unknown) => fault);
        expect(error).toBeInstanceOf(WorkflowFailedError);
        expect(codeOf(error)).toBe('FEATURE_INVALID');
        expect(closed).toMatchObject([{ outcome: 'failed', reasons: [expect.stringContaining('spend')] }]);
        expect(seen.calls.length).toBeLessThan(SCALE.parts);
      },
    );
  });

  test('that is cancelled in the middle of its parts waits for them, and begins no other', async () => {
    const { seen, long } = watched();
    await runWith(
      {
        openRun: openedInParts(SCALE),
        aggregatePart: ({ part }) => long(part),
        closeRun: async (input) => {
          expect(seen.now).toBe(0);
          return fakeStages().closeRun(input);
        },
      },
      async (runs) => {
        const handle = await runs.start();
        while (seen.now < SCALE.atOnce) await sleep(50);
        await handle.cancel();
        await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
        await untilOutcome(runs, handle.workflowId, 'cancelled');
        expect(seen.calls).toHaveLength(SCALE.atOnce);
      },
    );
  });
});
