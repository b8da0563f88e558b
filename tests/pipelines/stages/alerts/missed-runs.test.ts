import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Channel } from '../../../../pipelines/contracts/channels.ts';
import type { KnownMissed, MissedChanges } from '../../../../pipelines/contracts/missed-runs.ts';
import type { AlertDigest } from '../../../../pipelines/stages/alerts/digest.ts';
import { findAlerts } from '../../../../pipelines/stages/alerts/find.ts';
import {
  decideMissed,
  isNothing,
  type JudgedSchedule,
} from '../../../../pipelines/stages/alerts/missed-runs.ts';
import { letterOf } from '../../../../pipelines/stages/alerts/text.ts';
import { type ScheduledRun, unmetOf } from '../../../../pipelines/stages/schedules/missed.ts';
import { settingsOf, usualMonth, usualYear } from './fixture.ts';

const WEBHOOK: Channel = { kind: 'webhook', urlFrom: 'OPS' };
const NOON = '2026-07-15T10:00:00Z';
const NIGHT = '2026-07-15T22:30:00Z';
/** Days of June at 04:30 in Berlin. */
const day = (number: number) => new Date(Date.UTC(2026, 5, number, 2, 30)).toISOString();
const ranOn = (number: number): ScheduledRun => ({
  workflowId: `assign/shop/nightly-${number}`,
  ...{ dueAt: day(number), startedAt: day(number), closedAt: day(number) },
});

function nightly({
  due,
  ran = [],
  ...changes
}: { due: number[]; ran?: number[] } & Partial<Omit<JudgedSchedule, 'due'>>): JudgedSchedule {
  const state = {
    ...{ pipeline: 'shop', name: 'nightly', timezone: 'Europe/Berlin', overlap: 'buffer_all' },
    ...{ catchupWindowHours: 72, paused: null, due: due.map(day), runs: ran.map(ranOn) },
    ...{ isDueOnceADay: true, ...changes },
  };
  return { ...state, missing: unmetOf(state).missing };
}

function decide(
  schedules: JudgedSchedule[],
  known: KnownMissed[] = [],
  { settings = settingsOf(), notify = [WEBHOOK] as Channel[], now = NOON } = {},
): MissedChanges {
  return decideMissed(schedules, known, {
    ...{ pipeline: 'shop', settings, notify, currency: 'EUR', timezone: 'Europe/Berlin', now },
    idOf: (schedule, dueAt) => `alr_${schedule}_${dueAt.slice(8, 10)}`,
  });
}

/** What the database keeps of it. */
function kept(
  known: readonly KnownMissed[],
  { opened, changed, met, resolved }: MissedChanges,
): KnownMissed[] {
  const added = [...opened, ...changed].flatMap(({ alertId, times }) =>
    times.map((time) => ({ ...time, alertId, isOpen: true, isMet: false })),
  );
  return [...known, ...added].map((one) => ({
    ...one,
    isMet: one.isMet || met.some(({ schedule, dueAt }) => schedule === one.schedule && dueAt === one.dueAt),
    isOpen: one.isOpen && !resolved.includes(one.alertId),
  }));
}

const titlesOf = ({ messages }: MissedChanges) =>
  messages.flatMap(({ payload }) => (payload as AlertDigest).alerts.map(({ title }) => title));

describe('a due time without a run', () => {
  test('is told once, with the date, why, and the command that mends it', () => {
    const changes = decide([nightly({ due: [1, 2, 3], ran: [1, 3] })]);
    expect(changes.opened).toMatchObject([
      {
        alertId: 'alr_nightly_02',
        times: [{ schedule: 'nightly', dueAt: day(2), cause: 'missed' }],
        finding: { rule: 'missed-run', severity: 'warning', subject: `nightly:${day(2)}`, magnitude: 1 },
      },
    ]);
    expect(changes.messages).toMatchObject([
      { event: 'alerts.missed', channel: '0:webhook', alertId: 'alr_nightly_02', notBefore: null },
    ]);
    const letter = letterOf(changes.messages[0]!.payload);
    expect(letter.subject).toBe(
      'shop: warning: nightly has no run as of 2026-06-02, due 04:30 (Europe/Berlin)',
    );
    expect(letter.text.split('\n')).toEqual([
      'Runs of shop that were due have not been started. Readers see what they saw before.',
      'all schedules: npm run strata -- schedules check shop',
      '',
      'WARNING nightly has no run as of 2026-06-02, due 04:30 (Europe/Berlin)',
      'nothing started it: the Temporal server was away for longer than 72 hours (catchupWindowHours), the schedule was paused at that time, or it has no actions left',
      'mend it: npm run strata -- schedules backfill shop/nightly --from 2026-06-02 --to 2026-06-02',
      'rule missed-run',
      'look at: npm run strata -- alerts show alr_nightly_02',
    ]);
    const again = decide([nightly({ due: [1, 2, 3], ran: [1, 3] })], kept([], changes));
    expect(isNothing(again)).toBe(true);
  });

  test('shares an alert with those beside it, and a letter with all of the look', () => {
    const changes = decide([nightly({ due: [1, 2, 3, 4, 5], ran: [3] })]);
    expect(titlesOf(changes)).toEqual([
      'nightly has no run for 2 due times, 2026-06-01 04:30 to 2026-06-02 04:30 (Europe/Berlin)',
      'nightly has no run for 2 due times, 2026-06-04 04:30 to 2026-06-05 04:30 (Europe/Berlin)',
    ]);
    expect(changes.messages).toHaveLength(1);
    expect(letterOf(changes.messages[0]!.payload).text).toContain('--from 2026-06-04 --to 2026-06-05');
  });

  test('that was skipped says which run was in its way', () => {
    const long = { ...ranOn(1), closedAt: day(3) };
    const changes = decide([nightly({ due: [1, 2], overlap: 'skip', runs: [long] })]);
    expect(changes.opened[0]!.finding.details[0]).toBe(
      'it was skipped, as overlap: skip says: the run due 2026-06-01 04:30 (assign/shop/nightly-1) was still going on',
    );
  });

  test('shares one with all of its kind where a look finds very many', () => {
    const due = Array.from({ length: 60 }, (_, i) => i + 1);
    const ran = due.filter((one) => one % 2 === 0);
    const { opened } = decide([nightly({ due, ran })]);
    expect(opened.map(({ times }) => times.length)).toEqual([30]);
    expect(opened[0]!.finding.details.at(-1)).toBe(
      'mend them: npm run strata -- schedules check shop says how',
    );
  });

  test('of the night after is an alert of its own, though the one before is open', () => {
    const first = decide([nightly({ due: [1, 2], ran: [1] })]);
    const second = decide([nightly({ due: [1, 2, 3], ran: [1] })], kept([], first));
    expect(titlesOf(second)).toEqual(['nightly has no run as of 2026-06-03, due 04:30 (Europe/Berlin)']);
    expect(second.changed).toEqual([]);
  });

  test('is told no second time when a person has resolved its alert', () => {
    const known = kept([], decide([nightly({ due: [1] })])).map((one) => ({ ...one, isOpen: false }));
    expect(isNothing(decide([nightly({ due: [1] })], known))).toBe(true);
  });
});

describe('a pause', () => {
  const paused = 'paused by Ada: the export is late';
  const first = decide([nightly({ due: [1, 2], ran: [1], paused })]);

  test('is told with the first due time in it, by whom and how it ends', () => {
    expect(first.opened[0]!.finding.details).toEqual([
      'the schedule is paused: paused by Ada: the export is late',
      'nothing more is sent about this pause',
      'let it go on: npm run strata -- schedules unpause shop/nightly',
      'mend it: npm run strata -- schedules backfill shop/nightly --from 2026-06-02 --to 2026-06-02',
    ]);
  });

  test('is one alert, however long: what falls due in it joins it and is not sent', () => {
    const known = kept([], first);
    const second = decide([nightly({ due: [1, 2, 3], ran: [1], paused })], known);
    expect(second).toMatchObject({ opened: [], messages: [], changed: [{ alertId: 'alr_nightly_02' }] });
    expect(second.changed[0]!.finding).toMatchObject({
      ...{ magnitude: 2, subject: `nightly:${day(2)}` },
      title: expect.stringContaining('for 2 due times'),
    });
    const all = kept(known, second);
    expect(isNothing(decide([nightly({ due: [1, 2, 3], ran: [1], paused })], all))).toBe(true);
    // Unpaused: what fell due in the pause has been told.
    expect(isNothing(decide([nightly({ due: [1, 2, 3, 4], ran: [1, 4] })], all))).toBe(true);
    // Another pause.
    const later = decide([nightly({ due: [1, 2, 3, 4, 5], ran: [1, 4], paused })], all);
    expect(later.opened).toMatchObject([{ alertId: 'alr_nightly_05' }]);
  });

  test('goes on when a run is triggered in it', () => {
    const byHand = { ...ranOn(2), dueAt: new Date(Date.parse(day(2)) + 3_600_000).toISOString() };
    const changes = decide([nightly({ due: [1, 2, 3], runs: [ranOn(1), byHand], paused })], kept([], first));
    expect(changes).toMatchObject({ opened: [], messages: [], changed: [{ alertId: 'alr_nightly_02' }] });
  });

  test('goes on when some of what fell due in it is backfilled', () => {
    const all = kept([], decide([nightly({ due: [1, 2, 3], ran: [1], paused })]));
    const known = kept(all, decide([nightly({ due: [1, 2, 3], ran: [1, 3], paused })], all));
    const changes = decide([nightly({ due: [1, 2, 3, 4], ran: [1, 3], paused })], known);
    expect(changes).toMatchObject({ opened: [], messages: [], changed: [{ alertId: 'alr_nightly_02' }] });
  });

  test('of which somebody said that it is over is told anew', () => {
    const known = kept([], first).map((one) => ({ ...one, isOpen: false }));
    expect(decide([nightly({ due: [1, 2, 3], ran: [1], paused })], known).opened).toMatchObject([
      { alertId: 'alr_nightly_03' },
    ]);
  });
});

describe('a run that comes after all', () => {
  const missed = nightly({ due: [1, 2, 3], ran: [3] });
  const known = kept([], decide([missed]));

  test('ends the alert, once, and that is told', () => {
    const changes = decide([nightly({ due: [1, 2, 3], ran: [1, 2, 3] })], known);
    expect(changes).toMatchObject({ resolved: ['alr_nightly_01'], opened: [], changed: [] });
    expect(changes.met.map(({ dueAt }) => dueAt)).toEqual([day(1), day(2)]);
    expect(changes.messages).toMatchObject([{ event: 'alerts.over', alertId: 'alr_nightly_01' }]);
    expect(letterOf(changes.messages[0]!.payload)).toMatchObject({
      subject:
        'shop: resolved: nightly has its runs for 2 due times, 2026-06-01 04:30 to 2026-06-02 04:30 (Europe/Berlin)',
      text: expect.stringContaining('\n\nRESOLVED nightly has its runs'),
    });
    expect(isNothing(decide([nightly({ due: [1, 2, 3], ran: [1, 2, 3] })], kept(known, changes)))).toBe(true);
  });

  test('for some of its due times leaves the alert open for the others', () => {
    const changes = decide([nightly({ due: [1, 2, 3], ran: [1, 3] })], known);
    expect(changes).toMatchObject({ resolved: [], messages: [], met: [{ dueAt: day(1) }] });
    expect(changes.changed).toMatchObject([
      {
        ...{ alertId: 'alr_nightly_01', times: [] },
        finding: { subject: `nightly:${day(1)}`, title: expect.stringContaining('as of 2026-06-02') },
      },
    ]);
  });

  test('is not started once more by the command that mends the others', () => {
    const before = kept([], decide([nightly({ due: [1, 2, 3, 4] })]));
    const { changed } = decide([nightly({ due: [1, 2, 3, 4], ran: [2] })], before);
    expect(changed[0]!.finding.details.filter((detail) => detail.startsWith('mend'))).toEqual([
      'mend it: npm run strata -- schedules backfill shop/nightly --from 2026-06-01 --to 2026-06-01',
      'mend it: npm run strata -- schedules backfill shop/nightly --from 2026-06-03 --to 2026-06-04',
    ]);
  });

  test('is noted, and not told, where a person had resolved the alert', () => {
    const changes = decide(
      [nightly({ due: [1, 2, 3], ran: [1, 2, 3] })],
      known.map((one) => ({ ...one, isOpen: false })),
    );
    expect(changes.met).toHaveLength(2);
    expect(changes).toMatchObject({ resolved: [], messages: [] });
  });
});

describe('who is told, and when', () => {
  const missed = () => [nightly({ due: [1] }), { ...nightly({ due: [1] }), name: 'monthly' }];

  test('is the rule’s to say: the first that is about the schedule', () => {
    const settings = settingsOf({
      rules: [
        { name: 'urgent', kind: 'missed-run', severity: 'critical', schedules: ['monthly'], owner: 'CRM' },
        { name: 'rest', kind: 'missed-run', channels: ['log'] },
      ],
    });
    const { messages, opened } = decide(missed(), [], { settings, notify: [WEBHOOK, { kind: 'log' }] });
    expect(opened.map(({ finding }) => [finding.rule, finding.owner])).toEqual([
      ['rest', null],
      ['urgent', 'CRM'],
    ]);
    const told = messages.map(({ channel, payload }) => [
      channel,
      (payload as AlertDigest).alerts.map(({ rule }) => rule),
    ]);
    expect(told).toEqual([
      ['0:webhook', ['urgent']],
      ['1:log', ['urgent', 'rest']],
    ]);
  });

  test('without such a rule is nobody, and nothing is kept: a rule of tomorrow tells it', () => {
    expect(isNothing(decide(missed(), [], { settings: settingsOf({ rules: [] }) }))).toBe(true);
  });

  test('waits for the end of the quiet hours, but for what is critical where that breaks through', () => {
    const quietHours = { from: '20:00', to: '08:00', criticalBreaksThrough: true };
    const rules = [
      { name: 'x', kind: 'missed-run', severity: 'critical', schedules: ['monthly'] },
      { name: 'y', kind: 'missed-run' },
    ];
    const { messages } = decide(missed(), [], { settings: settingsOf({ quietHours, rules }), now: NIGHT });
    expect(messages.map(({ event, notBefore, alertId }) => [event, notBefore, alertId])).toEqual([
      ['alerts.missed.critical', null, 'alr_monthly_01'],
      ['alerts.missed', '2026-07-16T06:00:00.000Z', 'alr_nightly_01'],
    ]);
  });
});

test('a run is not asked about runs that there are not', () => {
  const settings = settingsOf({ rules: [{ name: 'x', kind: 'missed-run' }] });
  expect(findAlerts(usualMonth(12), { past: usualYear(), settings, currency: 'EUR' })).toEqual([]);
});

test('whatever happens in a month, each due time is in one alert, and a look that is repeated does nothing', () => {
  /** By each look one day later: whether the run of the day came, what was made up for, whether there is a pause. */
  const nights = fc.array(
    fc.record({ ran: fc.boolean(), paused: fc.boolean(), mends: fc.option(fc.integer({ min: 1, max: 20 })) }),
    { minLength: 1, maxLength: 15 },
  );
  fc.assert(
    fc.property(nights, (all) => {
      let known: KnownMissed[] = [];
      const ran = new Set<number>();
      all.forEach((night, i) => {
        if (night.ran && !night.paused) ran.add(i + 1);
        if (night.mends !== null && night.mends <= i + 1) ran.add(night.mends);
        const due = Array.from({ length: i + 1 }, (_, n) => n + 1);
        const schedule = nightly({ due, ran: [...ran], paused: night.paused ? 'paused' : null });
        known = kept(known, decide([schedule], known));
        expect(isNothing(decide([schedule], known))).toBe(true);
        const told = known.map(({ dueAt }) => dueAt);
        expect(new Set(told).size).toBe(told.length);
        for (const { dueAt } of schedule.missing) expect(told).toContain(dueAt);
        const open = new Set(known.filter(({ isOpen }) => isOpen).map(({ alertId }) => alertId));
        const owing = new Set(known.filter(({ isMet }) => !isMet).map(({ alertId }) => alertId));
        expect(open).toEqual(owing);
      });
    }),
    { numRuns: 25 },
  );
});
