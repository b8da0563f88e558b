import { describe, expect, test } from 'vitest';
import { parseCron } from '../../../../pipelines/contracts/cron.ts';
import {
  dayBegins,
  dueBeforeMidnight,
  missingTimes,
  nominalTimes,
} from '../../../../pipelines/stages/schedules/clock-changes.ts';

const YEAR = { from: '2026-01-01', days: 365 };
const missing = (cron: string, timezone: string) =>
  missingTimes([parseCron(cron)], timezone, YEAR).map(({ date, time }) => `${date} ${time}`);

// The days of the changes: IANA time zone database, 2026.
describe('missingTimes', () => {
  test.each([
    ['30 2 * * *', 'Europe/Berlin', ['2026-03-29 02:30']],
    ['59 2 * * *', 'Europe/Berlin', ['2026-03-29 02:59']],
    ['59 1 * * *', 'Europe/Berlin', []],
    ['0 3 * * *', 'Europe/Berlin', []],
    ['*/20 2 * * *', 'Europe/Berlin', ['2026-03-29 02:00']],
    ['30 2 * * *', 'America/New_York', ['2026-03-08 02:30']],
    // Comes twice on 2026-11-01.
    ['30 1 * * *', 'America/New_York', []],
    // Its clock is put forward by half an hour.
    ['15 2 * * *', 'Australia/Lord_Howe', ['2026-10-04 02:15']],
    ['30 2 * * *', 'Australia/Lord_Howe', []],
    ['30 2 * * *', 'UTC', []],
    ['30 2 * * *', 'Asia/Tokyo', []],
    ['30 2 1 * *', 'Europe/Berlin', []],
    ['30 2 * * 6', 'Europe/Berlin', []],
    ['30 2 * * 0', 'Europe/Berlin', ['2026-03-29 02:30']],
    // One that is due in every hour loses nothing by an hour.
    ['30 * * * *', 'Europe/Berlin', []],
  ])('%s in %s', (cron, timezone, expected) => {
    expect(missing(cron, timezone)).toEqual(expected);
  });
});

describe('dueBeforeMidnight', () => {
  test.each([
    ['30 2 * * *', 'Europe/Berlin', 'UTC', null],
    ['30 1 * * *', 'Europe/Berlin', 'UTC', '01:30'],
    ['0 1 * * *', 'Europe/London', 'UTC', null],
    ['30 0 * * *', 'Europe/Berlin', 'Europe/Berlin', null],
    ['0 4 * * *', 'Europe/Berlin', 'America/New_York', '04:00'],
    ['0 4 * * *', 'America/New_York', 'Europe/Berlin', null],
  ])('%s in %s, the shop in %s: %s', (cron, timezone, shop, expected) => {
    expect(dueBeforeMidnight([parseCron(cron)], { timezone, shop, from: '2026-01-01' })).toBe(expected);
  });
});

describe('dayBegins', () => {
  test.each([
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
    ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
    ['2026-03-29', 'UTC', '2026-03-29T00:00:00.000Z'],
    ['2026-03-29', 'Pacific/Kiritimati', '2026-03-28T10:00:00.000Z'],
    ['2026-03-29', 'Pacific/Pago_Pago', '2026-03-29T11:00:00.000Z'],
    // Midnight did not come: the clock went from 23:59 to 01:00.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
  ])('%s in %s begins at %s', (date, timezone, moment) => {
    expect(new Date(dayBegins(date, timezone)).toISOString()).toBe(moment);
  });
});

describe('nominalTimes', () => {
  const BERLIN = 'Europe/Berlin';
  test.each([
    ['30 2 * * *', BERLIN, 10, '2026-06-01T00:39:59.999Z', '2026-06-01T00:30:00.000Z'],
    ['30 2 * * *', BERLIN, 10, '2026-06-01T00:30:00.000Z', '2026-06-01T00:30:00.000Z'],
    // As long before as the jitter allows, and no longer.
    ['30 2 * * *', BERLIN, 10, '2026-06-01T00:40:00.000Z', '2026-06-01T00:30:00.000Z'],
    ['30 2 * * *', BERLIN, 10, '2026-06-01T00:40:00.001Z', '2026-06-01T00:40:00.001Z'],
    // The one that is next is due before the jitter of this one is over.
    ['*/5 * * * *', 'UTC', 60, '2026-06-01T00:34:12.345Z', '2026-06-01T00:30:00.000Z'],
    // Into the next day, and over a change of the clock.
    ['59 23 * * 0', BERLIN, 10, '2026-06-07T22:05:00.000Z', '2026-06-07T21:59:00.000Z'],
    ['30 1 * * *', BERLIN, 90, '2026-03-29T01:20:00.000Z', '2026-03-29T00:30:00.000Z'],
    // A clock that is ahead by a quarter of an hour, too.
    ['0 4 * * *', 'Asia/Kathmandu', 30, '2026-06-01T22:40:01.000Z', '2026-06-01T22:15:00.000Z'],
  ])('%s in %s, up to %i minutes late at %s: %s', (cron, timezone, jitterMinutes, due, nominal) => {
    const times = [parseCron('0 12 1 1 *'), parseCron(cron)];
    expect(nominalTimes([due], { times, timezone, jitterMs: jitterMinutes * 60_000 })).toEqual([nominal]);
  });
});
