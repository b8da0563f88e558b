/**
 * The date that a clock in the zone shows at a moment. Of numbers alone, so that no locale has a say in it.
 *
 * @param moment ISO time with its zone
 * @param timezone IANA zone; absent: UTC
 * @returns YYYY-MM-DD
 */
export function dateIn(moment: string, timezone = 'UTC'): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(new Date(moment));
  const part = (wanted: 'year' | 'month' | 'day') => parts.find(({ type }) => type === wanted)!.value;
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/** The time of day that the clock shows, HH:MM. @param moment, timezone as above */
export function timeIn(moment: string, timezone = 'UTC'): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    numberingSystem: 'latn',
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(new Date(moment));
  const part = (wanted: 'hour' | 'minute') => parts.find(({ type }) => type === wanted)!.value;
  return `${part('hour')}:${part('minute')}`;
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
