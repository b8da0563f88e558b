import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';

let shop: ActivityShop;
beforeAll(async () => {
  shop = await openActivityShop();
}, 60_000);
afterAll(() => shop?.close());

const asOfOf = async (scheduledAt: string | null, input: object, kind: 'refit' | 'assign' = 'refit') => {
  const workflow = { id: `test/${scheduledAt}/${JSON.stringify(input)}`, runId: kind };
  return (await shop.perform('openRun', { input, workflow, scheduledAt, kind })).run.asOf;
};

test.each([
  // Both sides of midnight by that clock, in winter and in summer.
  ['2026-03-28T22:59:59.000Z', 'Europe/Berlin', '2026-03-28'],
  ['2026-03-28T23:00:00.000Z', 'Europe/Berlin', '2026-03-29'],
  ['2026-03-29T00:30:00.000Z', 'Europe/Berlin', '2026-03-29'],
  ['2026-03-29T21:59:59.000Z', 'Europe/Berlin', '2026-03-29'],
  ['2026-03-29T22:00:00.000Z', 'Europe/Berlin', '2026-03-30'],
  // Both of the two 02:30 of that day.
  ['2026-10-25T00:30:00.000Z', 'Europe/Berlin', '2026-10-25'],
  ['2026-10-25T01:30:00.000Z', 'Europe/Berlin', '2026-10-25'],
  ['2026-10-25T22:59:59.000Z', 'Europe/Berlin', '2026-10-25'],
  ['2026-06-30T23:30:00.000Z', 'Asia/Tokyo', '2026-07-01'],
  ['2026-07-01T03:30:00.000Z', 'America/New_York', '2026-06-30'],
  ['2026-07-01T03:30:00.000Z', undefined, '2026-07-01'],
])('a run scheduled for %s, by the clock of %s, is as of %s', async (scheduledAt, timezone, asOf) => {
  const input = timezone === undefined ? {} : { timezone };
  expect(await asOfOf(scheduledAt, input)).toBe(asOf);
  expect(await asOfOf(scheduledAt, input, 'assign')).toBe(asOf);
});

test('a date that was asked for stands before that of the schedule', async () => {
  const input = { timezone: 'Europe/Berlin', asOf: '2026-01-31' };
  expect(await asOfOf('2026-03-29T00:30:00.000Z', input)).toBe('2026-01-31');
});

test('without a schedule the zone dates nothing', async () => {
  expect(await asOfOf(null, { timezone: 'Europe/Berlin' })).toBeNull();
});
