import type { AlertSettings } from '../../contracts/alert-settings.ts';
import { timeIn } from '../../contracts/shop-date.ts';

const MINUTES_PER_DAY = 24 * 60;
const MINUTE_MS = 60_000;

/**
 * When a message of this moment may be sent.
 *
 * @param moment ISO time with its zone
 * @param timezone IANA zone of the shop
 * @returns ISO time of the end of the quiet hours; null: they are not on
 */
export function quietUntil(
  moment: string,
  quietHours: AlertSettings['quietHours'],
  timezone = 'UTC',
): string | null {
  if (!quietHours) return null;
  const from = minutesOf(quietHours.from);
  const to = minutesOf(quietHours.to);
  const start = Date.parse(moment);
  const now = localMinutes(start, timezone);
  const isQuiet = (minutes: number) =>
    from < to ? minutes >= from && minutes < to : minutes >= from || minutes < to;
  if (!isQuiet(now)) return null;
  let end = start + ((to - now + MINUTES_PER_DAY) % MINUTES_PER_DAY) * MINUTE_MS;
  end -= end % MINUTE_MS;
  // The clocks may be put forward or back on the way.
  const missed = to - localMinutes(end, timezone);
  const shifted =
    end + (((missed + MINUTES_PER_DAY * 1.5) % MINUTES_PER_DAY) - MINUTES_PER_DAY / 2) * MINUTE_MS;
  // An end in the hour that clocks skip is on no clock: corrected, it would lie before that hour.
  end = isQuiet(localMinutes(shifted, timezone)) ? Math.max(end, shifted) : shifted;
  return new Date(end).toISOString();
}

function minutesOf(clock: string): number {
  const [hours, minutes] = clock.split(':').map(Number);
  return hours! * 60 + minutes!;
}

/** Minutes since midnight on a clock in the zone. */
function localMinutes(time: number, timezone: string): number {
  return minutesOf(timeIn(new Date(time).toISOString(), timezone));
}
