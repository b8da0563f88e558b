import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quietUntil } from '../../../../pipelines/stages/alerts/quiet-hours.ts';

const night = { from: '20:00', to: '08:00', criticalBreaksThrough: false };
const short = { from: '20:00', to: '02:30', criticalBreaksThrough: false };
const lunch = { from: '12:00', to: '13:30', criticalBreaksThrough: false };

test.each([
  ['2026-07-15T19:59:59Z', night, 'UTC', null],
  ['2026-07-15T20:00:00Z', night, 'UTC', '2026-07-16T08:00:00.000Z'],
  ['2026-07-16T07:59:59Z', night, 'UTC', '2026-07-16T08:00:00.000Z'],
  ['2026-07-16T08:00:00Z', night, 'UTC', null],
  ['2026-07-15T18:30:00Z', night, 'Europe/Berlin', '2026-07-16T06:00:00.000Z'],
  ['2026-07-15T12:00:00Z', night, 'America/New_York', null],
  ['2026-07-15T12:10:30Z', lunch, 'UTC', '2026-07-15T13:30:00.000Z'],
  ['2026-07-15T13:30:00Z', lunch, 'UTC', null],
  ['2026-07-15T15:00:00Z', night, 'Asia/Kolkata', '2026-07-16T02:30:00.000Z'],
  // The night in which clocks go forward in Berlin, and the one in which they go back.
  ['2026-03-28T21:00:00Z', night, 'Europe/Berlin', '2026-03-29T06:00:00.000Z'],
  ['2026-10-24T20:00:00Z', night, 'Europe/Berlin', '2026-10-25T07:00:00.000Z'],
  // Their end is on no clock in that night in March: at two it is three.
  ['2026-03-28T21:00:00Z', short, 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
  ['2026-10-24T20:00:00Z', short, 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
])('%s with %j in %s: until %s', (moment, hours, timezone, expected) => {
  expect(quietUntil(moment, hours, timezone)).toBe(expected);
});

test('without quiet hours nothing waits', () => {
  expect(quietUntil('2026-07-15T23:00:00Z', undefined)).toBeNull();
});

test('their end is later, within a day and an hour, and not quiet itself', () => {
  const times = fc.date({ min: new Date('2025-01-01'), max: new Date('2027-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(
      times,
      fc.constantFrom('UTC', 'Europe/London', 'America/St_Johns', 'Australia/Lord_Howe'),
      fc.constantFrom('01:15', '02:15', '02:45', '08:00'),
      (date, zone, to) => {
        const hours = { ...night, to };
        const until = quietUntil(date.toISOString(), hours, zone);
        if (until === null) return;
        expect(Date.parse(until)).toBeGreaterThan(date.getTime());
        expect(Date.parse(until) - date.getTime()).toBeLessThanOrEqual(13 * 3_600_000);
        expect(quietUntil(until, hours, zone)).toBeNull();
      },
    ),
  );
});
