import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OVERLAPS } from '../../../../pipelines/contracts/schedule-settings.ts';
import {
  judgedRange,
  type ScheduledRun,
  type ScheduleState,
  unmetOf,
} from '../../../../pipelines/stages/schedules/missed.ts';

/** Hours of one day. */
const at = (hour: number) => new Date(Date.UTC(2026, 5, 1) + hour * 3_600_000).toISOString();

/** Due at so many o'clock, begun and ended at some other time. */
function run(due: number, { from = due, to = null as number | null } = {}): ScheduledRun {
  return {
    workflowId: `assign/shop/hourly-${due}`,
    dueAt: at(due),
    startedAt: at(from),
    closedAt: to === null ? null : at(to),
  };
}

function schedule(overlap: string, due: number[], runs: ScheduledRun[], paused: string | null = null) {
  const state: ScheduleState = {
    ...{ pipeline: 'shop', name: 'hourly', timezone: 'UTC', overlap, catchupWindowHours: 72, paused, runs },
    ...{ due: due.map(at), isDueOnceADay: false },
  };
  const { missing, waiting } = unmetOf(state);
  const hourOf = (time: string) => new Date(time).getUTCHours();
  return {
    missing: missing.map(({ dueAt, cause }) => [hourOf(dueAt), cause]),
    waiting: waiting.map(hourOf),
    blockers: missing.map(({ blockedBy }) => blockedBy?.workflowId ?? null),
  };
}

describe('a due time without a run', () => {
  test('is missed when nothing was in its way', () => {
    const ended = [run(1, { to: 1.5 }), run(3, { to: 3.2 })];
    for (const overlap of OVERLAPS)
      expect(schedule(overlap, [1, 2, 3], ended)).toMatchObject({ missing: [[2, 'missed']], waiting: [] });
  });

  test('is skipped where a run was going on and the schedule does not wait, and says which', () => {
    const long = run(1, { to: 3.5 });
    expect(schedule('skip', [1, 2, 3, 4], [long, run(4, { to: 4.1 })])).toEqual({
      ...{
        missing: [
          [2, 'overlap'],
          [3, 'overlap'],
        ],
        waiting: [],
      },
      blockers: [long.workflowId, long.workflowId],
    });
  });

  test('is skipped while that run still goes on', () => {
    expect(schedule('skip', [1, 2], [run(1)])).toMatchObject({ missing: [[2, 'overlap']], waiting: [] });
  });

  test('is left out where the schedule is paused', () => {
    for (const overlap of OVERLAPS)
      expect(schedule(overlap, [1, 2], [run(1)], 'paused by Ada')).toMatchObject({
        ...{ missing: [[2, 'paused']], waiting: [] },
      });
  });
});

describe('a due time that waits for a run that is going on', () => {
  test('is not missed: all of them wait, or one', () => {
    expect(schedule('buffer_all', [1, 2, 3], [run(1)])).toMatchObject({ missing: [], waiting: [2, 3] });
    expect(schedule('buffer_one', [1, 2, 3], [run(1)])).toMatchObject({
      ...{ missing: [[3, 'overlap']], waiting: [2] },
    });
  });

  test('is one that fell due after that run: what was due before it has been missed', () => {
    expect(schedule('buffer_all', [1, 2, 3], [run(2)])).toMatchObject({
      ...{ missing: [[1, 'missed']], waiting: [3] },
    });
  });

  test('is the first since that run began, of a schedule that keeps one: before, the run itself was kept', () => {
    const late = run(2, { from: 4 });
    expect(schedule('buffer_one', [1, 2, 3, 5, 6], [run(1, { to: 4 }), late])).toMatchObject({
      missing: [
        [3, 'overlap'],
        [6, 'overlap'],
      ],
      waiting: [5],
    });
  });
});

test('each due time has its run, waits for it, or is missing', () => {
  const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 })).map((some) => some.sort((a, b) => a - b));
  const runs = fc.uniqueArray(
    fc.record({
      due: fc.integer({ min: 0, max: 23 }),
      late: fc.integer({ min: 0, max: 3 }),
      isOpen: fc.boolean(),
    }),
    { selector: ({ due }) => due },
  );
  fc.assert(
    fc.property(fc.constantFrom(...OVERLAPS), hours, runs, fc.boolean(), (overlap, due, began, isPaused) => {
      const of = began.map(({ due: hour, late, isOpen }) =>
        run(hour, { from: hour + late, to: isOpen ? null : hour + late + 1 }),
      );
      const { missing, waiting, blockers } = schedule(overlap, due, of, isPaused ? 'paused' : null);
      const met = due.filter((hour) => began.some((one) => one.due === hour));
      const all = [...met, ...waiting, ...missing.map(([hour]) => hour as number)];
      expect(all.sort((a, b) => a - b)).toEqual(due);
      const goingOn = (hour: number) =>
        of.filter(({ startedAt, closedAt }) => startedAt <= at(hour) && (closedAt ?? at(99)) > at(hour));
      for (const [i, [hour, cause]] of missing.entries()) {
        if (cause === 'overlap')
          expect(goingOn(hour as number).map(({ workflowId }) => workflowId)).toContain(blockers[i]);
        if (cause === 'missed' && overlap === 'skip') expect(goingOn(hour as number)).toEqual([]);
      }
      if (!overlap.startsWith('buffer') || !began.some(({ isOpen }) => isOpen)) expect(waiting).toEqual([]);
    }),
  );
});

test.each([
  [
    'as far back as was asked',
    '2026-01-01T00:00:00.000Z',
    0,
    '2026-05-30T12:00:00.000Z',
    '2026-05-31T11:55:00.000Z',
  ],
  [
    'from when it was changed',
    '2026-05-31T06:00:00.000Z',
    0,
    '2026-05-31T06:00:00.000Z',
    '2026-05-31T11:55:00.000Z',
  ],
  [
    'less its jitter',
    '2026-01-01T00:00:00.000Z',
    600_000,
    '2026-05-30T12:00:00.000Z',
    '2026-05-31T11:45:00.000Z',
  ],
  [
    'nothing yet of one that was made just now',
    '2026-05-31T11:57:00.000Z',
    0,
    '2026-05-31T11:57:00.000Z',
    null,
  ],
])('due times are judged %s', (_, changedAt, jitterMs, since, until) => {
  const now = '2026-05-31T12:00:00.000Z';
  expect(judgedRange({ now, changedAt, jitterMs, days: 1 })).toEqual({ since, until });
});

test.each([
  ['less than was asked', 12, '2026-05-31T00:10:00.000Z'],
  ['as long as was asked', 24, '2026-05-30T12:10:00.000Z'],
  ['longer', 25, '2026-05-30T12:00:00.000Z'],
])(
  'due times are judged as far back as runs are known that have ended, where that is %s',
  (_, hours, since) => {
    const [now, changedAt] = ['2026-05-31T12:00:00.000Z', '2026-01-01T00:00:00.000Z'];
    const range = judgedRange({ now, changedAt, jitterMs: 0, days: 1, keptMs: hours * 3_600_000 });
    expect(range).toEqual({ since, until: '2026-05-31T11:55:00.000Z' });
  },
);
