import { type CalendarTimes, type Span, valuesOfSpans } from '../pipelines/contracts/cron.ts';
import type { ScheduleDescription } from './read-schedules.ts';

export type CalendarDescription = NonNullable<ScheduleDescription['spec']['calendars']>[number];

const MONTHS: CalendarDescription['month'][number]['start'][] = [
  ...(['JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE'] as const),
  ...(['JULY', 'AUGUST', 'SEPTEMBER', 'OCTOBER', 'NOVEMBER', 'DECEMBER'] as const),
];
const DAYS_OF_WEEK: CalendarDescription['dayOfWeek'][number]['start'][] = [
  ...(['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const),
];

/** When a schedule is due, as the Temporal server answers it. */
export function timesOf({ minute, hour, dayOfMonth, month, dayOfWeek }: CalendarDescription): CalendarTimes {
  const numbers = <T extends string>(
    spans: readonly { start: T; end: T; step: number }[],
    names: readonly T[],
  ) =>
    spans.map(
      ({ start, end, step }): Span => ({ start: names.indexOf(start), end: names.indexOf(end), step }),
    );
  return {
    minute: valuesOfSpans(minute),
    hour: valuesOfSpans(hour),
    dayOfMonth: valuesOfSpans(dayOfMonth),
    month: valuesOfSpans(numbers(month, MONTHS)).map((value) => value + 1),
    dayOfWeek: valuesOfSpans(numbers(dayOfWeek, DAYS_OF_WEEK)),
  };
}
