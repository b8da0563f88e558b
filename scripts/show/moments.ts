import { formatDuration } from '../log.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `0.4 s`, `2 min 40 s`, `3 h 5 min`, `2 d 4 h`. */
export function howLong(ms: number): string {
  if (ms < HOUR_MS) return formatDuration(ms);
  const [whole, of, names] = ms < DAY_MS ? [HOUR_MS, MINUTE_MS, ['h', 'min']] : [DAY_MS, HOUR_MS, ['d', 'h']];
  const parts = Math.round(ms / of);
  const perWhole = whole / of;
  return `${Math.floor(parts / perWhole)} ${names[0]} ${parts % perWhole} ${names[1]}`;
}

const YEAR_MS = 365 * DAY_MS;

/** The same in four characters at most, for a column: `0.4s`, `75s`, `2.7m`, `1.5h`, `12d`. */
export function inColumn(ms: number): string {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)}s`;
  if (ms < 99_500) return `${Math.round(ms / 1_000)}s`;
  for (const [unit, size, below] of [
    ['m', MINUTE_MS, 2 * HOUR_MS],
    ['h', HOUR_MS, 2 * DAY_MS],
    ['d', DAY_MS, 2 * YEAR_MS],
    ['y', YEAR_MS, Number.POSITIVE_INFINITY],
  ] as const) {
    if (ms >= below) continue;
    const count = ms / size;
    return `${count < 9.95 ? count.toFixed(1) : Math.round(count)}${unit}`;
  }
  return '';
}

/** How long ago, in three characters at most: `5s`, `40m`, `23h`, `99d`, `8w`. */
export function age(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(0, Math.floor(ms / 1_000))}s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)}h`;
  const days = Math.floor(ms / DAY_MS);
  if (days < 100) return `${days}d`;
  return days < 700 ? `${Math.floor(days / 7)}w` : `${Math.floor(days / 365)}y`;
}

/** `2026-07-01 04:05:06Z`: in UTC as everything here. */
export function moment(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`;
}

/** `2026-07-01 04:05Z`. */
export function minute(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)}Z`;
}

/** Without the day where that was said already. */
export function momentAfter(iso: string, before: string): string {
  return iso.slice(0, 10) === before.slice(0, 10) ? moment(iso).slice(11) : moment(iso);
}
