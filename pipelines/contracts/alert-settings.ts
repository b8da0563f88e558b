import { z } from 'zod';
import { type Channel, takes } from './channels.ts';

// What people want to be told of a run, and when. A rule has a magnitude below which nobody cares; how sure it has
// to be follows from the false alarms a month that people accept, unless the rule says it itself.

const share = z.number().min(0).max(1);
const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'needs lower-case letters, digits and dashes, at most 40, a letter first');
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'needs a time of day such as 20:00');

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

const told = {
  name,
  severity: z.enum(SEVERITIES).default('warning'),
  /** Who is to look at it: a person or a team, in words. */
  owner: z.string().trim().min(1).optional(),
  /** Names or kinds of `notify` channels that take alerts; absent: all of these. */
  channels: z.array(name).min(1).optional(),
};
const common = {
  ...told,
  /** Told again while it is open when it has grown by this share of what was told: 0.5 is half as much again. */
  worseBy: z.number().positive().default(0.5),
};
/** Of rules that look at segments; absent: all of them. */
const segments = z.array(z.string().min(1)).min(1).optional();
const ofSegments = {
  segments,
  /** Fewer customers than this are nobody's worry, however large their share. */
  leastCustomers: z.int().min(1).default(20),
};
/** Share of runs without a change in which the rule may speak; absent: what the budget leaves it. */
const tested = { significance: z.number().positive().max(0.5).optional() };

const rule = z.discriminatedUnion('kind', [
  /** A segment's share of the customers grew or shrank, by more than its comings and goings explain. */
  z.strictObject({
    kind: z.literal('size-change'),
    ...common,
    ...ofSegments,
    ...tested,
    atLeast: share.default(0.05),
  }),
  /** Customers of a segment go other ways than in past runs. */
  z.strictObject({
    kind: z.literal('flow'),
    ...common,
    ...ofSegments,
    ...tested,
    atLeast: share.default(0.05),
  }),
  /** More customers are gone than in past runs, of all or of a segment. */
  z.strictObject({
    kind: z.literal('customers-lost'),
    ...common,
    ...ofSegments,
    ...tested,
    atLeast: share.default(0.05),
  }),
  /** A segment's share of the spend changed, in points: 0.03 is from 20 to 23 %. */
  z.strictObject({
    kind: z.literal('spend-share'),
    ...common,
    segments,
    ...tested,
    atLeast: share.default(0.03),
  }),
  /** PSI of a feature. */
  z.strictObject({
    kind: z.literal('feature-drift'),
    ...common,
    ...tested,
    atLeast: z.number().min(0).default(0.25),
    features: z.array(z.string().min(1)).min(1).optional(),
  }),
  /** PSI of the sizes of segments. */
  z.strictObject({
    kind: z.literal('mix-drift'),
    ...common,
    ...tested,
    atLeast: z.number().min(0).default(0.1),
  }),
  z.strictObject({ kind: z.literal('questionable-names'), ...common, atLeast: share.default(0.25) }),
  z.strictObject({
    kind: z.literal('segment-events'),
    ...common,
    segments,
    events: z
      .array(z.enum(['born', 'retired', 'split', 'merged']))
      .min(1)
      .default(['born', 'retired', 'split', 'merged']),
  }),
  z.strictObject({
    kind: z.literal('verdict'),
    ...common,
    verdicts: z
      .array(z.enum(['drifted', 'unstable']))
      .min(1)
      .default(['unstable']),
  }),
  /** A figure of docs/verdicts.md for the run as a whole, below what it should be. */
  z.strictObject({
    kind: z.literal('stability'),
    ...common,
    metric: z
      .enum(['adjusted-rand', 'adjusted-mutual-information', 'adjusted-rand-of-models'])
      .default('adjusted-rand'),
    below: z.number().min(-1).max(1).default(0.5),
  }),
  /** A run that was due by a schedule and has not been started: asked when schedules are watched, not of runs. */
  z.strictObject({
    kind: z.literal('missed-run'),
    ...told,
    /** Names of schedules; absent: all of the pipeline. */
    schedules: z.array(name).min(1).optional(),
  }),
]);

export type AlertRule = z.infer<typeof rule>;
export type AlertRuleOf<K extends AlertRule['kind']> = Extract<AlertRule, { kind: K }>;
/** Rules that are asked about a run. */
export type RunRule = Exclude<AlertRule, { kind: 'missed-run' }>;

export function isOfRuns(one: AlertRule): one is RunRule {
  return one.kind !== 'missed-run';
}

export const alertSettings = z
  .strictObject({
    /** False alarms a month that people accept, of all rules that test for chance together. */
    falseAlarmsPerMonth: z.number().positive().max(100).default(1),
    /**
     * Nothing is sent then, alerts or publications, by the clock of `source.timezone`; it waits for `to`. Absent: sent
     * at any hour.
     */
    quietHours: z
      .strictObject({ from: clock, to: clock, criticalBreaksThrough: z.boolean().default(false) })
      .refine(({ from, to }) => from !== to, { error: 'needs two different times' })
      .optional(),
    /** An alert that has not spoken in so many publications is resolved by itself. */
    resolveAfterRuns: z.int().min(1).max(1000).default(3),
    /** Past publications that say what is usual. */
    baselineRuns: z.int().min(3).max(100).default(12),
    /** In place of the rules that come with Strata; an empty list: no alerts. */
    rules: z
      .array(rule)
      .max(50)
      .refine((rules) => new Set(rules.map((one) => one.name)).size === rules.length, {
        error: 'needs a name of its own for each rule',
      })
      .prefault([
        { name: 'segment-size', kind: 'size-change' },
        { name: 'segment-flow', kind: 'flow' },
        { name: 'customers-lost', kind: 'customers-lost' },
        { name: 'spend-share', kind: 'spend-share' },
        { name: 'feature-drift', kind: 'feature-drift' },
        { name: 'mix-drift', kind: 'mix-drift' },
        { name: 'questionable-names', kind: 'questionable-names', severity: 'info' },
        { name: 'segment-events', kind: 'segment-events', severity: 'info' },
        { name: 'unstable', kind: 'verdict', severity: 'critical' },
        { name: 'low-agreement', kind: 'stability' },
        { name: 'missed-run', kind: 'missed-run' },
      ]),
  })
  .prefault({});

export type AlertSettings = z.infer<typeof alertSettings>;

/** The rules that come with Strata: those of a definition that says nothing of alerts. */
export const DEFAULT_ALERTS: AlertSettings = alertSettings.parse({});

interface Uses {
  alerts?: AlertSettings | undefined;
  notify: readonly ({ kind: string; name?: string | undefined } & Pick<Channel, 'tells'>)[];
  features: { aggregate: readonly { name: string }[]; derive: readonly { name: string }[] };
  /** Absent: not known; a definition is frozen without them. */
  schedule?: readonly { name: string }[] | undefined;
}

/** Channels that rules name and that are not there or take no alerts, such features and schedules, channels whose name is taken. */
export function alertFaults({
  alerts,
  notify,
  features,
  schedule,
}: Uses): { path: (string | number)[]; message: string }[] {
  const namesOf = (channels: Uses['notify']) => [
    ...new Set(channels.flatMap(({ kind, name }) => (name === undefined ? [kind] : [name, kind]))),
  ];
  const known = namesOf(notify);
  const taking = namesOf(notify.filter((channel) => takes(channel, 'alerts')));
  const featureNames = [...features.aggregate, ...features.derive].map((feature) => feature.name);
  const twice = notify.flatMap(({ name }, i) =>
    name !== undefined && notify.findIndex((other) => other.name === name) < i
      ? [{ path: ['notify', i, 'name'], message: 'needs a name of its own' }]
      : [],
  );
  const unknown = (alerts?.rules ?? []).flatMap((one, i) => [
    ...(one.channels ?? []).flatMap((channel, j) =>
      taking.includes(channel)
        ? []
        : [
            {
              path: ['alerts', 'rules', i, 'channels', j],
              message: known.includes(channel)
                ? 'needs a channel that takes alerts, the tells of this one leave them out'
                : `needs a channel of notify (${known.join(', ')})`,
            },
          ],
    ),
    ...(one.kind === 'feature-drift' ? (one.features ?? []) : []).flatMap((feature, j) =>
      featureNames.includes(feature)
        ? []
        : [
            {
              path: ['alerts', 'rules', i, 'features', j],
              message: `needs a feature of this definition (${featureNames.join(', ')})`,
            },
          ],
    ),
  ]);
  return [...twice, ...unknown, ...unknownSchedules(alerts?.rules ?? [], schedule)];
}

function unknownSchedules(rules: readonly AlertRule[], schedule: Uses['schedule']) {
  if (schedule === undefined) return [];
  const names = schedule.map((one) => one.name);
  return rules.flatMap((one, i) =>
    (one.kind === 'missed-run' ? (one.schedules ?? []) : []).flatMap((wanted, j) =>
      names.includes(wanted)
        ? []
        : [
            {
              path: ['alerts', 'rules', i, 'schedules', j],
              message: `needs a schedule of this definition (${names.join(', ') || 'it has none'})`,
            },
          ],
    ),
  );
}
