import { z } from 'zod';
import { type CalendarTimes, CronFault, everyOf, formatCron, isEvery, parseCron } from './cron.ts';
import { isTimeZone } from './shop-date.ts';

// When runs of a pipeline start by themselves. It is no part of what a run is: a definition is frozen without it, so
// that another hour does not make another definition.

/** Temporal's words for what happens when a run is due while the one before is still going on. */
export const OVERLAPS = [
  'skip',
  'buffer_one',
  'buffer_all',
  'cancel_other',
  'terminate_other',
  'allow_all',
] as const;
export type Overlap = (typeof OVERLAPS)[number];

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
/** As a list, whichever was written. */
const oneOrMore = <T extends z.ZodType>(one: T) =>
  z
    .unknown()
    .transform((given) => (Array.isArray(given) ? given : [given]))
    .pipe(z.array(one).min(1));

const at = oneOrMore(
  z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'needs a time of day in quotes such as "02:30"'),
);
const weekday = z.enum(WEEKDAYS);
/** Not the 29th to 31st, which some months lack: whoever wants them says so in cron. */
const dayOfMonth = z
  .int()
  .min(1)
  .max(28, 'needs a day that every month has, 1 to 28 (cron takes 29 to 31 and leaves short months out)');

const words = z.discriminatedUnion('every', [
  z.strictObject({ every: z.literal('day'), at }),
  /** Monday to Friday. */
  z.strictObject({ every: z.literal('weekday'), at }),
  z.strictObject({ every: z.literal('week'), on: oneOrMore(weekday), at }),
  z.strictObject({ every: z.literal('month'), on: oneOrMore(dayOfMonth).prefault(1), at }),
]);

const EXAMPLES = 'a cron expression such as "30 2 * * *", or words such as { every: day, at: "02:30" }';

/** One or several, each in cron or in words; a run is due when one of them says so. */
const frequency = z.unknown().transform((given, context): CalendarTimes[] => {
  const list = Array.isArray(given) ? given : [given];
  const fault = (message: string, path: PropertyKey[] = []) =>
    context.addIssue({ code: 'custom', message, path });
  if (list.length === 0) fault(`needs ${EXAMPLES}`);
  const times = list.flatMap((one: unknown, i) => {
    const place = Array.isArray(given) ? [i] : [];
    if (typeof one === 'string') {
      try {
        return [parseCron(one)];
      } catch (error) {
        if (!(error instanceof CronFault)) throw error;
        fault(error.message, place);
        return [];
      }
    }
    if (one === null || typeof one !== 'object') {
      fault(`needs ${EXAMPLES}`, place);
      return [];
    }
    const result = words.safeParse(one);
    for (const { message, path } of result.error?.issues ?? []) fault(message, [...place, ...path]);
    return result.success ? timesOfWords(result.data) : [];
  });
  return distinct(times);
});

/** Each time of day is a calendar of its own: 02:30 and 14:00 are not 02:00 and 14:30. */
function timesOfWords(given: z.infer<typeof words>): CalendarTimes[] {
  return given.at.map((time) => ({
    minute: [Number(time.slice(3))],
    hour: [Number(time.slice(0, 2))],
    dayOfMonth: given.every === 'month' ? rising(given.on) : everyOf('dayOfMonth'),
    month: everyOf('month'),
    dayOfWeek: daysOfWeek(given),
  }));
}

function daysOfWeek(given: z.infer<typeof words>): number[] {
  if (given.every === 'weekday') return [1, 2, 3, 4, 5];
  if (given.every !== 'week') return everyOf('dayOfWeek');
  return rising(given.on.map((day) => WEEKDAYS.indexOf(day)));
}

function rising(values: number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

/** In an order that does not depend on how they were written. */
function distinct(times: readonly CalendarTimes[]): CalendarTimes[] {
  const byText = new Map(times.map((one) => [formatCron(one), one]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** The server reads the zone's name as a file's: it has to be spelt as IANA does. */
const timezone = z.string().superRefine((name, context) => {
  if (/^[A-Z]/i.test(name) && isTimeZone(name)) {
    const known = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    if (known === name || known.toLowerCase() !== name.toLowerCase()) return;
    context.addIssue({ code: 'custom', message: `needs the spelling ${known}` });
    return;
  }
  context.addIssue({ code: 'custom', message: 'needs an IANA time zone such as Europe/London' });
});

const schedule = z
  .strictObject({
    /** Of the pipeline's schedules; absent: its kind. */
    name: z
      .string()
      .regex(
        /^[a-z][a-z0-9-]{0,39}$/,
        'needs lower-case letters, digits and dashes, at most 40, a letter first',
      )
      .optional(),
    kind: z.enum(['refit', 'assign']),
    frequency,
    /** IANA zone whose clock the frequency is of, and whose date the runs are as of. */
    timezone: timezone.optional(),
    /**
     * When the run before is still going on. Default: each due time gets its run, one after the other, in the order of
     * their dates: runs of a pipeline wait for each other anyway, and a date that is left out is a gap in the history.
     */
    overlap: z.enum(OVERLAPS).default('buffer_all'),
    /** What was due while the server was away is made up for when it is no older: a weekend without one loses nothing. */
    catchupWindowHours: z
      .number()
      .min(0.01)
      .max(24 * 366)
      .default(72),
    /** A broken run pauses the schedule until a person unpauses it; a rejected one is not broken. */
    pauseOnFailure: z.boolean().default(false),
    /** Each run starts up to so much later, by chance; its as-of date does not move. */
    jitterMinutes: z
      .number()
      .min(0)
      .max(24 * 60)
      .default(0),
    /** Absent: left to people, who pause and unpause it by command or in the Temporal UI. */
    paused: z.boolean().optional(),
    /** Why there is this schedule: shown with it and with each of its runs. */
    note: z.string().trim().min(1).max(200).optional(),
  })
  .superRefine(({ frequency: times, timezone: zone }, context) => {
    // What is left of a frequency with faults says nothing about hours.
    if (zone !== undefined || !Array.isArray(times) || times.every(isOfEveryHour)) return;
    const message = `needs an IANA time zone such as Europe/London, since hours of ${times.map(formatCron).join(' and ')} are those of a clock`;
    context.addIssue({ code: 'custom', path: ['timezone'], message });
  })
  .transform(({ name, ...rest }) => ({ name: name ?? rest.kind, ...rest }));

function isOfEveryHour({ hour, dayOfMonth, month, dayOfWeek }: CalendarTimes): boolean {
  const fields = { hour, dayOfMonth, month, dayOfWeek };
  return Object.entries(fields).every(([name, values]) => isEvery(name as keyof typeof fields, values));
}

export type Schedule = z.infer<typeof schedule>;

const several = z.array(schedule).max(20);

/** One schedule, or a list of them. */
export const scheduleSettings = z.unknown().transform((given, context): Schedule[] => {
  const result = Array.isArray(given) ? several.safeParse(given) : z.tuple([schedule]).safeParse([given]);
  for (const { message, path } of result.error?.issues ?? []) {
    context.addIssue({ code: 'custom', message, path: Array.isArray(given) ? path : path.slice(1) });
  }
  const schedules = result.data ?? [];
  schedules.forEach(({ name }, i) => {
    if (schedules.findIndex((other) => other.name === name) === i) return;
    const message = `needs a name of its own, another schedule is called ${name}`;
    context.addIssue({ code: 'custom', message, path: [i, 'name'] });
  });
  return schedules;
});

/** A run that starts by itself is given no file: one that is read has to be named. */
export function scheduleFaults({
  schedule,
  source,
}: {
  schedule?: readonly Schedule[] | undefined;
  source: { kind: string; path?: unknown };
}): { path: string[]; message: string }[] {
  if (!schedule?.length || source.kind !== 'file' || source.path !== undefined) return [];
  return [
    { path: ['source', 'path'], message: 'needs a file or patterns, since runs of schedule are given none' },
  ];
}
