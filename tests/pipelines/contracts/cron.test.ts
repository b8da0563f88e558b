import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CalendarTimes,
  CronFault,
  everyOf,
  formatCron,
  parseCron,
  spansOf,
  valuesOfSpans,
} from '../../../pipelines/contracts/cron.ts';

describe('parseCron', () => {
  test.each<[string, Partial<CalendarTimes>]>([
    ['30 2 * * *', { minute: [30], hour: [2], dayOfMonth: everyOf('dayOfMonth') }],
    ['*/15 * * * *', { minute: [0, 15, 30, 45], hour: everyOf('hour') }],
    ['5/20 0-6/2 * * *', { minute: [5, 25, 45], hour: [0, 2, 4, 6] }],
    ['0 0,12 1,15 * *', { hour: [0, 12], dayOfMonth: [1, 15], dayOfWeek: everyOf('dayOfWeek') }],
    ['0 6 * JAN,dec MON-fri', { month: [1, 12], dayOfWeek: [1, 2, 3, 4, 5] }],
    ['0 6 * * 5-7', { dayOfWeek: [0, 5, 6] }],
    ['0 6 * * 0,7', { dayOfWeek: [0] }],
    ['  0   6 * * sun ', { dayOfWeek: [0] }],
    ['0 0 29-31 * *', { dayOfMonth: [29, 30, 31] }],
  ])('%s is due at these values', (text, times) => {
    expect(parseCron(text)).toMatchObject(times);
  });

  test.each([
    ['', /five fields/],
    ['@daily', /five fields/],
    ['0 2 * * * *', /five fields/],
    ['60 2 * * *', /values from 0 to 59 as its minute/],
    ['0 24 * * *', /values from 0 to 23 as its hour/],
    ['0 2 0 * *', /values from 1 to 31 as its day of month/],
    ['0 2 * FEBRUARY *', /values from 1 to 12 or JAN to DEC as its month/],
    ['0 2 * * 8', /values from 0 to 6 or SUN to SAT as its day of week/],
    ['0 2 * * FRI-MON', /ranges that rise, day of week has FRI-MON/],
    ['*/0 2 * * *', /a step from 1 to 59/],
    ['0 2 ? * *', /day of month/],
    ['0 2 L * *', /day of month/],
    ['-5 2 * * *', /minute/],
    ['0, 2 * * *', /minute/],
    ['0 2 1 * MON', /write two expressions/],
  ])('%j is refused', (text, message) => {
    expect(() => parseCron(text)).toThrow(CronFault);
    expect(() => parseCron(text)).toThrow(message);
  });
});

describe('formatCron', () => {
  test.each([
    ['0,15,30,45 * * * *', '*/15 * * * *'],
    ['0-59 0-23 1-31 1-12 0-6', '* * * * *'],
    ['0 2 * * 1,2,3,4,5', '0 2 * * 1-5'],
    ['0 1,2,3,5 * * *', '0 1-3,5 * * *'],
    ['0 1-9/4 * * *', '0 1-9/4 * * *'],
    ['0 2 * * SUN', '0 2 * * 0'],
  ])('%s is written %s', (text, canonical) => {
    expect(formatCron(parseCron(text))).toBe(canonical);
  });

  const field = (name: keyof CalendarTimes) =>
    fc
      .uniqueArray(fc.constantFrom(...everyOf(name)), { minLength: 1 })
      .map((values) => values.sort((a, b) => a - b));
  const times = fc
    .record({
      minute: field('minute'),
      hour: field('hour'),
      dayOfMonth: field('dayOfMonth'),
      month: field('month'),
      dayOfWeek: field('dayOfWeek'),
    })
    .chain((all) =>
      fc.constantFrom(
        { ...all, dayOfMonth: everyOf('dayOfMonth') },
        { ...all, dayOfWeek: everyOf('dayOfWeek') },
      ),
    );

  test('any times, written and read again, are the same', () => {
    fc.assert(
      fc.property(times, (one) => {
        expect(parseCron(formatCron(one))).toEqual(one);
      }),
    );
  });

  test('ranges hold the values they were made of', () => {
    fc.assert(
      fc.property(field('minute'), (values) => {
        expect(valuesOfSpans(spansOf(values))).toEqual(values);
      }),
    );
  });
});
