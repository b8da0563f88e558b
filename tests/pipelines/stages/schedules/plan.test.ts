import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFiles } from '../../../../pipelines/contracts/definition.ts';
import {
  FACTS,
  factsOfSchedule,
  nameOfSchedule,
  type ScheduleFacts,
  scheduleIdOf,
} from '../../../../pipelines/stages/schedules/facts.ts';
import {
  differs,
  type FoundSchedule,
  type PlannedSchedule,
  planSchedules,
} from '../../../../pipelines/stages/schedules/plan.ts';
import { shortDefinition } from '../../../helpers/short-definition.ts';

const facts: ScheduleFacts = {
  kind: 'assign',
  frequency: '30 2 * * *',
  timezone: 'UTC',
  paused: 'false',
  note: 'none',
};
const ours = (id: string, change: ScheduleFacts = {}): FoundSchedule => ({
  id,
  isOurs: true,
  facts: { ...facts, ...change },
});

describe('planSchedules', () => {
  test('what is on neither side is no difference', () => {
    expect(planSchedules([], [])).toEqual([]);
    expect(differs([])).toBe(false);
  });

  test.each<[string, ScheduleFacts[], FoundSchedule[], PlannedSchedule['state'][]]>([
    ['one that the server lacks is new', [facts], [], ['new']],
    ['one that is as the file says is the same', [facts], [ours('a')], ['same']],
    ['one that differs is changed', [facts], [ours('a', { timezone: 'Europe/Berlin' })], ['changed']],
    ['one in no file is gone', [], [ours('a')], ['gone']],
    ['one of somebody else with the id is foreign', [facts], [{ ...ours('a'), isOurs: false }], ['foreign']],
    ['one of somebody else in no file is not our business', [], [{ ...ours('a'), isOurs: false }], []],
  ])('%s', (_, wanted, found, states) => {
    const plan = planSchedules(
      wanted.map((one) => ({ id: 'a', facts: one })),
      found,
    );
    expect(plan.map(({ state }) => state)).toEqual(states);
    expect(differs(plan)).toBe(states.some((state) => state !== 'same'));
  });

  test('a change says the old and the new, and nothing of what is the same', () => {
    const found = [ours('a', { frequency: '0 2 * * *', note: 'why' })];
    expect(planSchedules([{ id: 'a', facts }], found)[0]!.changes).toEqual([
      { fact: 'frequency', from: '0 2 * * *', to: '30 2 * * *' },
      { fact: 'note', from: 'why', to: 'none' },
    ]);
  });

  test('a fact that the file leaves out is left to the server', () => {
    const { paused: _, ...silent } = facts;
    expect(planSchedules([{ id: 'a', facts: silent }], [ours('a', { paused: 'true' })])[0]!.state).toBe(
      'same',
    );
    expect(planSchedules([{ id: 'a', facts }], [ours('a', { paused: 'true' })])[0]!.changes).toEqual([
      { fact: 'paused', from: 'true', to: 'false' },
    ]);
  });

  const someFacts = fc.record(Object.fromEntries(FACTS.map((fact) => [fact, fc.constantFrom('a', 'b')])), {
    requiredKeys: FACTS.filter((fact) => fact !== 'paused'),
  }) as fc.Arbitrary<ScheduleFacts>;
  const ids = fc.constantFrom('a', 'b', 'c', 'd');
  const wanted = fc.uniqueArray(fc.record({ id: ids, facts: someFacts }), { selector: ({ id }) => id });
  const found = fc.uniqueArray(fc.record({ id: ids, isOurs: fc.boolean(), facts: someFacts }), {
    selector: ({ id }) => id,
  });

  /** What a server has after a plan was carried out on it. */
  function carriedOut(
    plan: readonly PlannedSchedule[],
    {
      want,
      had,
      deletes,
    }: { want: { id: string; facts: ScheduleFacts }[]; had: FoundSchedule[]; deletes: boolean },
  ): FoundSchedule[] {
    const touched = plan.filter(
      ({ state }) => state === 'new' || state === 'changed' || (state === 'gone' && deletes),
    );
    const kept = had.filter(({ id }) => !touched.some((one) => one.id === id));
    const written = touched
      .filter(({ state }) => state !== 'gone')
      .map(({ id }) => {
        const before = had.find((one) => one.id === id)?.facts ?? {};
        return { id, isOurs: true, facts: { ...before, ...want.find((one) => one.id === id)!.facts } };
      });
    return [...kept, ...written];
  }

  test('carried out, it leaves nothing to do but what may not be touched', () => {
    fc.assert(
      fc.property(wanted, found, fc.boolean(), (want, had, deletes) => {
        const after = carriedOut(planSchedules(want, had), { want, had, deletes });
        const again = planSchedules(want, after);
        const left = deletes ? ['same', 'foreign'] : ['same', 'foreign', 'gone'];
        expect(again.every(({ state }) => left.includes(state))).toBe(true);
        expect(carriedOut(again, { want, had: after, deletes })).toEqual(after);
        const theirs = (all: FoundSchedule[]) => all.filter(({ isOurs }) => !isOurs);
        expect(theirs(after)).toEqual(theirs(had));
      }),
    );
  });
});

describe('the facts of a schedule', () => {
  const factsOf = (schedule: string) => {
    const [one] = parseFiles('books', shortDefinition({ pipeline: 'books', schedule })).schedules;
    return factsOfSchedule({ id: 'x', pipeline: 'books', schedule: one! }, 'queue');
  };

  test('cron and words that mean the same are the same facts', () => {
    expect(factsOf('{ kind: assign, timezone: UTC, frequency: "30 2 * * 1,2,3,4,5" }')).toEqual(
      factsOf('{ kind: assign, timezone: UTC, frequency: { every: weekday, at: "02:30" } }'),
    );
  });

  test('say what is started, with the zone whose date the runs are as of', () => {
    expect(
      factsOf('{ name: nightly, kind: assign, timezone: Asia/Tokyo, frequency: "30 2 * * *" }').starts,
    ).toBe('assign/books/nightly on queue with {"pipeline":"books","timezone":"Asia/Tokyo"}');
    expect(factsOf('{ kind: refit, frequency: "0 * * * *" }')).toMatchObject({
      starts: 'segment/books/refit on queue with {"pipeline":"books"}',
      timezone: 'UTC',
    });
  });

  test('an id tells its pipeline and name, and nobody else’s does', () => {
    expect(nameOfSchedule(scheduleIdOf('books', 'nightly'))).toEqual({ pipeline: 'books', name: 'nightly' });
    for (const id of ['books/nightly', 'strata/books', 'strata/books/nightly/more', 'strata//x'])
      expect(nameOfSchedule(id)).toBeNull();
  });
});
