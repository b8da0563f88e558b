import { FACTS, type Fact, type ScheduleFacts } from './facts.ts';

export interface FoundSchedule {
  id: string;
  /** Whether `apply` made it: any other is never touched. */
  isOurs: boolean;
  facts: ScheduleFacts;
}

export interface FactChange {
  fact: Fact;
  from: string;
  to: string;
}

/**
 * `new` and `changed` are what apply does; `gone` stands in no file any more; `foreign` has the id of one in a file, and
 * apply did not make it.
 */
export interface PlannedSchedule {
  id: string;
  state: 'new' | 'changed' | 'gone' | 'same' | 'foreign';
  /** Of one that is changed; of a new one what it will be. */
  changes: FactChange[];
}

/** The difference between what files want and what a server has, in the order of the ids. */
export function planSchedules(
  wanted: readonly { id: string; facts: ScheduleFacts }[],
  found: readonly FoundSchedule[],
): PlannedSchedule[] {
  const there = new Map(found.map((one) => [one.id, one]));
  const named = new Set(wanted.map(({ id }) => id));
  const planned = wanted.map(({ id, facts }): PlannedSchedule => {
    const present = there.get(id);
    if (!present) return { id, state: 'new', changes: changesTo(facts, {}) };
    if (!present.isOurs) return { id, state: 'foreign', changes: [] };
    const changes = changesTo(facts, present.facts);
    return { id, state: changes.length > 0 ? 'changed' : 'same', changes };
  });
  const gone = found
    .filter(({ id, isOurs }) => isOurs && !named.has(id))
    .map(({ id }): PlannedSchedule => ({ id, state: 'gone', changes: [] }));
  return [...planned, ...gone].sort((a, b) => (a.id < b.id ? -1 : 1));
}

export function differs(plan: readonly PlannedSchedule[]): boolean {
  return plan.some(({ state }) => state !== 'same');
}

function changesTo(wanted: ScheduleFacts, present: ScheduleFacts): FactChange[] {
  const changes = FACTS.flatMap((fact): FactChange[] => {
    const to = wanted[fact];
    const from = present[fact] ?? '';
    return to === undefined || to === from ? [] : [{ fact, from, to }];
  });
  // What is started holds the kind and the zone: one change is not told twice.
  const isTold = changes.some(({ fact }) => fact === 'kind' || fact === 'timezone');
  return isTold ? changes.filter(({ fact }) => fact !== 'starts') : changes;
}
