import colors from 'picocolors';
import { dateIn } from '../../pipelines/contracts/shop-date.ts';
import { dueBeforeMidnight, missingTimes } from '../../pipelines/stages/schedules/clock-changes.ts';
import { type Fact, NOTHING, WATCH_ID } from '../../pipelines/stages/schedules/facts.ts';
import type { FactChange, PlannedSchedule } from '../../pipelines/stages/schedules/plan.ts';
import { counted, dot, links } from '../terminal.ts';
import type { Applied } from './apply.ts';
import type { CheckedSchedule } from './check.ts';
import { type Found, shortOf } from './found.ts';
import type { ListedRun, ListedSchedule } from './list.ts';
import { type backfill, momentIn, type trigger } from './operate.ts';
import type { Wanted } from './wanted.ts';

const SIGNS: Record<PlannedSchedule['state'], string> = {
  new: colors.green('+'),
  changed: colors.yellow('~'),
  gone: colors.red('-'),
  same: colors.dim('='),
  foreign: colors.red('!'),
};
const FACT_WIDTH = 'catchupWindowHours'.length;
const YEAR_DAYS = 366;
const APPLY = 'npm run strata -- schedules apply';

/** A schedule a block, with what would change, and what is to be known of it. @param today ISO date */
export function planReport(
  plan: readonly PlannedSchedule[],
  wanted: readonly Wanted[],
  today: string,
): string {
  if (plan.length === 0)
    return 'No schedules, neither in the files nor on the server: `schedule` in pipeline.yaml makes one (docs/schedules.md).';
  const blocks = plan.map((planned) => {
    const one = wanted.find(({ id }) => id === planned.id);
    const lines = [`${SIGNS[planned.state]} ${colors.bold(shortOf(planned.id))}${saidOf(planned.state)}`];
    return [...lines, ...changeLines(planned), ...(one ? warningsOf(one, today) : [])].join('\n');
  });
  return [...blocks, '', planSummary(plan)].join('\n');
}

function saidOf(state: PlannedSchedule['state']): string {
  switch (state) {
    case 'gone':
      return '  stands in no file any more; it stays, and goes on, until apply --delete';
    case 'foreign':
      return '  is on the server and apply did not make it: it is left alone; give the one in the file another name';
    case 'same':
      return '';
    default:
      return `  ${state}`;
  }
}

function changeLines({ state, changes }: PlannedSchedule): string[] {
  const shown =
    state === 'new' ? changes.filter(({ fact, to }) => fact !== 'starts' && to !== NOTHING) : changes;
  return shown.map(
    (change) =>
      `    ${colors.dim(change.fact.padEnd(FACT_WIDTH))}  ${state === 'new' ? change.to : arrowOf(change)}`,
  );
}

function arrowOf({ from, to }: FactChange): string {
  return `${from} ${colors.dim('→')} ${colors.bold(to)}`;
}

function planSummary(plan: readonly PlannedSchedule[]): string {
  const count = (state: PlannedSchedule['state']) => plan.filter((one) => one.state === state).length;
  const parts: [number, string][] = [
    [count('new'), 'to create'],
    [count('changed'), 'to change'],
    [count('gone'), 'gone from the files'],
    [count('foreign'), 'not ours'],
    [count('same'), 'the same'],
  ];
  const said = parts.flatMap(([n, words]) => (n > 0 ? [`${n} ${words}`] : [])).join(', ');
  if (count('same') === plan.length) return `${colors.green('✓')} ${said}: nothing to do`;
  return count('new') + count('changed') > 0 ? `${said}: ${APPLY}` : said;
}

function warningsOf({ schedule, shop }: Wanted, today: string): string[] {
  const { frequency, timezone } = schedule;
  if (timezone === undefined) return [];
  const missing = missingTimes(frequency, timezone, { from: today, days: YEAR_DAYS });
  const early = dueBeforeMidnight(frequency, { timezone, shop, from: today });
  const words = missing.map(
    ({ date, time }) =>
      `${date} has no ${time} in ${timezone}: no run on that day; choose another hour, or trigger it then`,
  );
  if (early !== null) {
    words.push(
      `at ${early} in ${timezone} it is still the day before by the shop's clock (${shop}): the run counts a day that is not over`,
    );
  }
  return words.map((text) => `    ${colors.yellow('!')} ${text}`);
}

const DID: Record<Applied['done'], string> = {
  created: 'created',
  updated: 'updated',
  deleted: 'deleted',
  left: 'left as it is',
  nothing: 'the same',
};

/** What was done to each, and why some were left. */
export function applyReport(applied: readonly Applied[]): string {
  if (applied.length === 0) return 'No schedules in the files, none of theirs on the server.';
  const width = Math.max(...applied.map(({ id }) => shortOf(id).length));
  const lines = applied.flatMap((one) => [
    `${SIGNS[one.state]} ${shortOf(one.id).padEnd(width)}  ${DID[one.done]}${leftBecause(one)}`,
    ...(one.done === 'updated' ? changeLines(one) : []),
  ]);
  const count = (wanted: Applied['done']) => applied.filter(({ done }) => done === wanted).length;
  const did = (['created', 'updated', 'deleted', 'left'] as const).filter((one) => count(one) > 0);
  const sign = count('left') > 0 ? colors.yellow('▪') : colors.green('✓');
  const summary = `${sign} ${did.map((one) => `${count(one)} ${DID[one]}`).join(', ') || 'nothing to do'}`;
  return [...lines, '', summary].join('\n');
}

function leftBecause({ state, done }: Applied): string {
  if (done !== 'left') return '';
  return state === 'gone' ? ': stands in no file any more; add --delete' : ': apply did not make it';
}

const SHOWN: Fact[] = ['kind', 'overlap', 'note'];

/** When each is due next, and what came of its last runs. */
export function listReport(schedules: readonly ListedSchedule[]): string {
  if (schedules.length === 0)
    return `No schedules on the server. Those of pipeline.yaml come there with ${APPLY}`;
  return schedules.map(blockOf).join('\n\n');
}

function blockOf(listed: ListedSchedule): string {
  const { id, facts, timezone, paused, note, next, last, missed, skipped } = listed;
  const why = note === null ? 'paused' : /^paused\b/i.test(note) ? note : `paused, ${note}`;
  const state = paused ? colors.yellow(why) : colors.green('running');
  const places: [string, string][] = [
    ['due', `${facts.frequency} ${timezone}`],
    ...SHOWN.flatMap((fact): [string, string][] =>
      facts[fact] === undefined || facts[fact] === NOTHING ? [] : [[fact, facts[fact]]],
    ),
    [
      'next',
      paused
        ? 'not before it is unpaused'
        : next.map((time) => momentIn(new Date(time), timezone)).join(dotted),
    ],
    ...last.map((run, i): [string, string] => [
      i === 0 ? 'last runs' : ' '.repeat(i),
      runLine(run, timezone),
    ]),
    ...(last.length === 0 ? [['last runs', 'none yet'] as [string, string]] : []),
    ...(missed > 0
      ? [['missed', `${missed}, due while the server was away for too long`] as [string, string]]
      : []),
    ...(skipped > 0
      ? [['skipped', `${skipped}, due while a run was still going on`] as [string, string]]
      : []),
  ];
  const lines = links(Object.fromEntries(places)).map((line) => `  ${line}`);
  return [`${colors.bold(shortOf(id))}  ${state}`, ...lines].join('\n');
}

const dotted = ` ${dot} `;
const PAINT: Record<string, (text: string) => string> = {
  published: colors.green,
  failed: colors.red,
  rejected: colors.red,
  held: colors.yellow,
};

function runLine({ asOf, dueAt, outcome, workflow }: ListedRun, timezone: string): string {
  const painted = (PAINT[outcome] ?? ((text: string) => text))(outcome.padEnd(9));
  return `${painted}  as of ${asOf}  ${colors.dim(`due ${momentIn(new Date(dueAt), timezone)}  ${workflow.id}`)}`;
}

/** Where the run that was triggered is. */
export function triggerReport(
  { id, timezone, action }: Awaited<ReturnType<typeof trigger>>,
  addressOf: (workflow: { id: string; runId: string }) => string,
): string {
  if (action === null) return `${shortOf(id)} was triggered; its run has not begun yet: see schedules list`;
  const { workflowId, firstExecutionRunId } = action.action.workflow;
  const asOf = dateIn(action.scheduledAt.toISOString(), timezone);
  return `${shortOf(id)} was triggered, as of ${asOf}\n${addressOf({ id: workflowId, runId: firstExecutionRunId })}`;
}

export function backfillReport(
  { id, timezone }: Awaited<ReturnType<typeof backfill>>,
  { from, to }: { from: string; to: string },
): string {
  return `${shortOf(id)}: a run for each time it was due from ${from} to ${to} (${timezone}), one after the other\nnpm run strata -- schedules list shows them`;
}

export function needsPerson({ paused, failed, gaps }: CheckedSchedule): boolean {
  return paused !== null || failed !== null || gaps.length > 0;
}

/** What keeps a schedule from giving each date its run, with the way out. @param watch null: there is none */
export function checkReport(checked: readonly CheckedSchedule[], watch: Found | null): string {
  if (checked.length === 0)
    return `No schedules on the server. Those of pipeline.yaml come there with ${APPLY}`;
  const blocks = checked.map((one) => {
    const sign = needsPerson(one) ? colors.red('!') : colors.green('✓');
    return [`${sign} ${colors.bold(shortOf(one.id))}  ${metOf(one)}`, ...faultsOf(one)].join('\n');
  });
  return [...blocks, ...watchLines(watch)].join('\n');
}

/** Whether somebody is sent what is missed. */
export function isWatched(watch: Found | null): boolean {
  return watch?.isOurs === true && !watch.description.state.paused;
}

function watchLines(watch: Found | null): string[] {
  if (isWatched(watch)) return [];
  const name = shortOf(WATCH_ID);
  const [what, way] = watch?.isOurs
    ? [watch.description.state.note || 'is paused', `npm run strata -- schedules unpause ${name}`]
    : ['is not there', APPLY];
  return [
    `${colors.yellow('!')} ${colors.bold(name)}  ${what}: nobody is sent what is missed`,
    `      ${colors.dim(way)}`,
  ];
}

function metOf({ due, gaps, waiting, since, timezone }: CheckedSchedule): string {
  const from = momentIn(new Date(since), timezone);
  if (due === 0) return `not due yet since ${from}`;
  const unmet = gaps.reduce((sum, { times }) => sum + times, 0);
  const met = due - unmet - waiting;
  const waits = waiting > 0 ? `, ${waiting} wait for the one that is going on` : '';
  return `${met} of ${counted(due, 'due time')} since ${from} ${met === 1 ? 'has its run' : 'have their run'}${waits}`;
}

function faultsOf({ id, paused, failed, gaps, timezone }: CheckedSchedule): string[] {
  const name = shortOf(id);
  const faults: [string, string][] = [];
  if (paused !== null) faults.push([paused, `npm run strata -- schedules unpause ${name}`]);
  if (failed !== null)
    faults.push([`the last run, as of ${failed.asOf}, is ${failed.outcome}`, failed.workflow.id]);
  for (const { first, last, times, backfill: range } of gaps) {
    const isOfDays = !range.from.endsWith('Z');
    const [from, to] = [first, last]
      .map((time) => momentIn(new Date(time), timezone))
      .map((moment) => (isOfDays ? moment.slice(0, 10) : moment));
    const which = isOfDays ? 'as of' : 'due';
    faults.push([
      times === 1
        ? `no run ${which} ${from}`
        : `no run for ${times} due times, ${isOfDays ? 'as of ' : ''}${from} to ${to}`,
      `npm run strata -- schedules backfill ${name} --from ${range.from} --to ${range.to}`,
    ]);
  }
  return faults.flatMap(([what, way]) => [`    ${what}`, `      ${colors.dim(way)}`]);
}
