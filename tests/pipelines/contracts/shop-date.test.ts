import { expect, test } from 'vitest';
import { dateIn, timeIn } from '../../../pipelines/contracts/shop-date.ts';

// Offsets of the IANA time zone database: Tokyo +9 all year; Los Angeles -8 and -7; London 0 and +1.
test.each([
  ['2026-05-31T23:59:59.000Z', undefined, '2026-05-31'],
  ['2026-05-31T14:59:59.999Z', 'Asia/Tokyo', '2026-05-31'],
  ['2026-05-31T15:00:00.000Z', 'Asia/Tokyo', '2026-06-01'],
  ['2026-01-01T07:59:59.000Z', 'America/Los_Angeles', '2025-12-31'],
  ['2026-01-01T08:00:00.000Z', 'America/Los_Angeles', '2026-01-01'],
  ['2026-07-01T06:59:59.000Z', 'America/Los_Angeles', '2026-06-30'],
  ['2026-07-01T07:00:00.000Z', 'America/Los_Angeles', '2026-07-01'],
  ['2026-03-28T23:30:00.000Z', 'Europe/London', '2026-03-28'],
  ['2026-03-29T23:30:00.000Z', 'Europe/London', '2026-03-30'],
  ['2026-10-24T23:30:00.000Z', 'Europe/London', '2026-10-25'],
  ['2026-10-25T23:30:00.000Z', 'Europe/London', '2026-10-25'],
])('at %s the clock of %s shows %s', (moment, timezone, date) => {
  expect(dateIn(moment, timezone)).toBe(date);
});

test.each([
  ['2026-03-29T00:59:59.000Z', 'Europe/Berlin', '01:59'],
  ['2026-03-29T01:00:00.000Z', 'Europe/Berlin', '03:00'],
  ['2026-06-01T22:00:00.000Z', 'Europe/Berlin', '00:00'],
  ['2026-06-01T22:05:00.000Z', undefined, '22:05'],
])('at %s the clock of %s shows the time %s', (moment, timezone, time) => {
  expect(timeIn(moment, timezone)).toBe(time);
});
