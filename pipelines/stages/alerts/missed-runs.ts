import type { AlertRuleOf, AlertSettings } from '../../contracts/alert-settings.ts';
import type { Channel } from '../../contracts/channels.ts';
import type { KnownMissed, MissedChanges, MissedTime } from '../../contracts/missed-runs.ts';
import type { Missing, ScheduleState } from '../schedules/missed.ts';
import { type AlertDigest, digestMessages, type Told } from './digest.ts';
import { missedFinding, overFinding, subjectOf } from './missed-text.ts';
import { quietUntil } from './quiet-hours.ts';

// Each due time without a run is told once, in one alert. Those that are found together, in a row and for one reason,
// share one; while a schedule is paused what falls due joins the alert that told of the pause, and is not sent.

export type MissedRule = AlertRuleOf<'missed-run'>;

/** A schedule with its due times that have no run, and will have none. */
export interface JudgedSchedule extends ScheduleState {
  missing: Missing[];
}

export interface MissedDecision {
  pipeline: string;
  settings: AlertSettings;
  notify: readonly Channel[];
  currency: string;
  /** The shop's, whose clock the quiet hours are of. */
  timezone: string | undefined;
  /** ISO time: whether quiet hours are on. */
  now: string;
  /** The id of an alert, from the first due time it is about. */
  idOf(schedule: string, dueAt: string): string;
}

/**
 * What becomes of the due times of a pipeline's schedules.
 *
 * @param known due times that alerts were made of
 */
export function decideMissed(
  schedules: readonly JudgedSchedule[],
  known: readonly KnownMissed[],
  decision: MissedDecision,
): MissedChanges {
  const changes: MissedChanges = { opened: [], changed: [], met: [], resolved: [], messages: [] };
  const over: Told[] = [];
  for (const schedule of schedules) {
    const rule = ruleFor(decision.settings, schedule.name);
    const own = rising(known.filter((one) => one.schedule === schedule.name));
    const ran = momentsOf(schedule.runs);
    const met = own.filter(({ isMet, dueAt }) => !isMet && ran.has(Date.parse(dueAt)));
    changes.met.push(...met.map(({ schedule: name, dueAt }) => ({ schedule: name, dueAt })));
    const told = momentsOf(own);
    const fresh = rule ? schedule.missing.filter(({ dueAt }) => !told.has(Date.parse(dueAt))) : [];
    const joining = joinOf(schedule, own, fresh);
    over.push(...goOn(changes, { schedule, rule, own, met, joining }));
    if (!rule) continue;
    for (const times of rows(schedule, joining ? [] : fresh)) {
      const alertId = decision.idOf(schedule.name, times[0]!.dueAt);
      changes.opened.push({ alertId, finding: missedFinding(rule, schedule, times), times });
    }
  }
  const missed = changes.opened.map(({ alertId, finding }) => ({ alertId, finding, gotWorse: false }));
  changes.messages = [...messagesOf(missed, 'missed', decision), ...messagesOf(over, 'over', decision)];
  return changes;
}

interface GoingOn {
  schedule: JudgedSchedule;
  rule: MissedRule | undefined;
  own: readonly KnownMissed[];
  /** Of these the ones whose run has come. */
  met: readonly KnownMissed[];
  joining: { alertId: string; times: MissedTime[] } | null;
}

/** Open alerts about more or fewer due times than before. @returns those that are over, to be told */
function goOn(changes: MissedChanges, { schedule, rule, own, met, joining }: GoingOn): Told[] {
  const over: Told[] = [];
  for (const alertId of new Set(own.filter(({ isOpen }) => isOpen).map((one) => one.alertId))) {
    const all = own.filter((one) => one.alertId === alertId);
    const came = met.filter((one) => one.alertId === alertId);
    const joined = joining?.alertId === alertId ? joining.times : [];
    const left = [...all.filter((one) => !one.isMet && !came.includes(one)), ...joined];
    if (left.length === 0) {
      changes.resolved.push(alertId);
      if (rule && came.length > 0)
        over.push({ alertId, finding: overFinding(rule, schedule, came), gotWorse: false });
    } else if (rule && joined.length + came.length > 0) {
      // Its first due time names it, also when that one has its run.
      const finding = { ...missedFinding(rule, schedule, left), subject: subjectOf(all[0]!) };
      changes.changed.push({ alertId, finding, times: joined });
    }
  }
  return over;
}

function momentsOf(times: readonly { dueAt: string }[]): Set<number> {
  return new Set(times.map(({ dueAt }) => Date.parse(dueAt)));
}

/** The first rule that is about the schedule; undefined: nobody wants to be told of it. */
function ruleFor({ rules }: AlertSettings, schedule: string): MissedRule | undefined {
  return rules.find(
    (rule): rule is MissedRule => rule.kind === 'missed-run' && (rule.schedules?.includes(schedule) ?? true),
  );
}

/** The open alert of a pause that goes on, with what has fallen due in it since; null where there is none. */
function joinOf(
  schedule: JudgedSchedule,
  own: readonly KnownMissed[],
  fresh: readonly Missing[],
): { alertId: string; times: MissedTime[] } | null {
  if (schedule.paused === null || fresh.length === 0) return null;
  const paused = own.findLast(({ cause, isOpen, isMet }) => cause === 'paused' && isOpen && !isMet);
  if (!paused) return null;
  const from = Date.parse(paused.dueAt);
  const to = Date.parse(fresh[0]!.dueAt);
  // A run in between: it was unpaused, and this is another pause. One by hand tells nothing: triggered it is of another
  // time, backfilled of one that the alert has told.
  const [due, told] = [momentsOf(schedule.due.map((dueAt) => ({ dueAt }))), momentsOf(own)];
  const isOther = schedule.runs
    .map(({ dueAt }) => Date.parse(dueAt))
    .some((moment) => moment > from && moment < to && due.has(moment) && !told.has(moment));
  if (isOther || to < from) return null;
  return { alertId: paused.alertId, times: timesOf(schedule, fresh) };
}

/** Of a look. Where there would be more, each reason has one. */
const MOST_ALERTS = 20;

/** Due times in a row that are missing for one reason. */
function rows(schedule: JudgedSchedule, fresh: readonly Missing[]): MissedTime[][] {
  const places = new Map(schedule.due.map((time, i) => [Date.parse(time), i]));
  const placeOf = ({ dueAt }: Missing) => places.get(Date.parse(dueAt))!;
  const found: Missing[][] = [];
  for (const one of fresh) {
    const open = found.at(-1);
    const before = open?.at(-1);
    const isNext = before !== undefined && placeOf(one) === placeOf(before) + 1;
    const isAlike = before?.cause === one.cause && before.blockedBy?.workflowId === one.blockedBy?.workflowId;
    if (open && isNext && isAlike) open.push(one);
    else found.push([one]);
  }
  if (found.length <= MOST_ALERTS) return found.map((row) => timesOf(schedule, row));
  const causes = [...new Set(fresh.map(({ cause }) => cause))];
  return causes.map((cause) =>
    timesOf(
      schedule,
      fresh.filter((one) => one.cause === cause),
    ),
  );
}

function timesOf({ name: schedule }: ScheduleState, missing: readonly Missing[]): MissedTime[] {
  return missing.map(({ dueAt, cause }) => ({ schedule, dueAt, cause }));
}

function rising<T extends { dueAt: string }>(times: readonly T[]): T[] {
  return times.toSorted((a, b) => Date.parse(a.dueAt) - Date.parse(b.dueAt));
}

function messagesOf(
  told: readonly Told[],
  moment: 'missed' | 'over',
  { pipeline, settings, notify, currency, timezone, now }: MissedDecision,
): MissedChanges['messages'] {
  const { quietHours } = settings;
  return digestMessages(told, {
    ...{ run: { runId: null, pipeline, asOf: null }, moment, currency, notify },
    quietUntil: quietUntil(now, quietHours, timezone),
    // That a run has come after all wakes nobody.
    criticalBreaksThrough: moment === 'missed' && (quietHours?.criticalBreaksThrough ?? false),
  }).map((message) => ({ ...message, alertId: (message.payload as AlertDigest).alerts[0]!.alertId }));
}

/** Whether anything is to be written. */
export function isNothing({ opened, changed, met, resolved, messages }: MissedChanges): boolean {
  return [opened, changed, met, resolved, messages].every((list) => list.length === 0);
}
