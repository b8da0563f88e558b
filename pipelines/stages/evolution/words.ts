import { counted, formatMoney, formatNumber, formatShare } from '../figures.ts';
import type { MovementCause } from '../movements.ts';
import type { FlowTotals } from './flows.ts';
import type { SegmentFate } from './lineage-line.ts';
import type { FeatureChange } from './profile-changes.ts';
import { dateWords, type PublishedRun, type SegmentNames } from './published.ts';

// The sentences that diff and evolution begin with.

export interface Told {
  names: SegmentNames;
  currency: string;
}

/** `+12 %`, `-3.4 %`, `unchanged`; empty where there was nothing before. */
export function growth(before: number, after: number): string {
  if (before === after) return 'unchanged';
  if (before === 0) return '';
  const by = after / before - 1;
  return `${by > 0 ? '+' : '-'}${formatShare(Math.abs(by))}`;
}

/** `2.1 points`, of two shares. */
export function points(before: number, after: number): string {
  const by = (after - before) * 100;
  const size = formatNumber(Number(Math.abs(by).toFixed(1)));
  return `${by < 0 ? '-' : '+'}${size} ${size === '1' ? 'point' : 'points'}`;
}

export function quoted(id: string, names: SegmentNames): string {
  return `"${names.get(id) ?? id}"`;
}

export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

export function money(cents: number, currency: string): string {
  return formatMoney(cents / 100, currency);
}

/** How many customers and how much money there are now. */
export function tellBase(
  before: PublishedRun,
  after: PublishedRun,
  { totals, currency }: { totals: Pick<FlowTotals, 'new' | 'lost'>; currency: string },
): string {
  const [then, now] = [before.customers, after.customers];
  const sizes =
    then === now
      ? `stayed at ${formatNumber(now)}`
      : `went from ${formatNumber(then)} to ${formatNumber(now)} (${growth(then, now)})`;
  const came = totals.new.customers === 0 ? 'none came' : `${formatNumber(totals.new.customers)} came`;
  const left =
    totals.lost.customers === 0 ? 'none was lost' : `${formatNumber(totals.lost.customers)} were lost`;
  const [cents, centsNow] = [before.spendCents, after.spendCents];
  const spend =
    cents === null || centsNow === null
      ? ''
      : `; their spend went from ${money(cents, currency)} to ${money(centsNow, currency)}${cents > 0 ? ` (${growth(cents, centsNow)})` : ''}`;
  return `From ${dateWords(before.asOf)} to ${dateWords(after.asOf)} the number of customers ${sizes}: ${came}, ${left}${spend}.`;
}

/** Which segments go on, and what became of the others. */
export function tellSegments(fates: readonly SegmentFate[], { names }: Told): string {
  const name = (id: string) => quoted(id, names);
  const kept = fates.filter(({ goesOn }) => goesOn);
  const gone = fates.filter(({ became }) => became === 'gone');
  const born = fates.filter(({ became }) => became === 'born');
  const before = kept.length + gone.length;
  if (kept.length === fates.length)
    return `All ${counted(before, 'segment')} go on; none came, split, merged or went.`;
  const parts = [
    ...gone.map(({ segmentId, into }) =>
      into.length === 0
        ? `${name(segmentId)} retired`
        : into.length === 1
          ? `${name(segmentId)} went into ${name(into[0]!)}`
          : `${name(segmentId)} split into ${listed(into.map(name))}`,
    ),
    ...fates
      .filter(
        ({ became, from }) => became === 'split' && !gone.some(({ segmentId }) => segmentId === from[0]),
      )
      .map(({ segmentId, from }) => `${name(segmentId)} split off ${name(from[0]!)}`),
    ...born.map(({ segmentId }) => `${name(segmentId)} was born`),
  ];
  return `Of ${counted(before, 'segment')} ${kept.length === 0 ? 'none' : formatNumber(kept.length)} ${kept.length === 1 ? 'goes' : 'go'} on: ${parts.join('; ')}.`;
}

interface Sized {
  segmentId: string;
  before: { share: number } | null;
  after: { share: number } | null;
  changes: readonly FeatureChange[];
}

/** Half a point of all customers: below it a share is as it was. */
const LEAST_POINTS = 0.005;

/** Which segment grew and which shrank the most, and whose figures changed the most. */
export function tellSizes(segments: readonly Sized[], { names }: Told): string {
  const inBoth = segments.flatMap(({ segmentId, before, after }) =>
    before && after
      ? [{ segmentId, was: before.share, is: after.share, by: after.share - before.share }]
      : [],
  );
  const byGrowth = inBoth.toSorted((left, right) => right.by - left.by);
  const [most, least] = [byGrowth[0], byGrowth.at(-1)];
  const told = [
    ...(most && most.by >= LEAST_POINTS ? [{ ...most, how: 'grew' }] : []),
    ...(least && least.by <= -LEAST_POINTS ? [{ ...least, how: 'shrank' }] : []),
  ];
  const sizes =
    told.length === 0
      ? 'No segment that goes on grew or shrank by half a point or more'
      : listed(told.map((one) => `${quoted(one.segmentId, names)} ${one.how} the most (${shares(one)})`));
  const changed = segments
    .flatMap(({ segmentId, changes }) => changes.slice(0, 1).map((change) => ({ segmentId, change })))
    .toSorted(
      ({ change: left }, { change: right }) =>
        Number(right.isClustered) - Number(left.isClustered) || Math.abs(right.shift) - Math.abs(left.shift),
    )[0];
  if (!changed) return `${sizes}; the figures within segments are much the same.`;
  const isLast = changed.segmentId === told.at(-1)?.segmentId;
  const who = isLast ? 'its customers' : `the customers of ${quoted(changed.segmentId, names)}`;
  return `${sizes}; ${who} ${changed.change.words}.`;
}

function shares({ was, is }: { was: number; is: number }): string {
  return `${formatShare(was)} -> ${formatShare(is)} of the customers`;
}

export const CAUSE_SENTENCES: Record<MovementCause, string> = {
  behaviour: 'by their own doing',
  model: 'since the model is another one',
  border: 'at a border, perhaps by chance',
};

/** `62 % by their own doing, 20 % since the model is another one and …`; empty without causes. */
export function tellCauses(causes: Record<MovementCause, number>): string {
  const all = causes.behaviour + causes.model + causes.border;
  if (all === 0) return '';
  return listed(
    (['behaviour', 'model', 'border'] as const)
      .filter((cause) => causes[cause] > 0)
      .map((cause) => `${formatShare(causes[cause] / all)} ${CAUSE_SENTENCES[cause]}`),
  );
}

/** What became of a segment, in a few words. */
export function becameWords(
  { became, goesOn, from, into }: Omit<SegmentFate, 'segmentId'>,
  nameOf: (segmentId: string) => string,
): string {
  const names = (ids: readonly string[]) => listed(ids.map(nameOf));
  if (became === 'survived') return 'goes on';
  if (goesOn) return `goes on, took in ${names(from)}`;
  if (from.length > 0) return `came out of ${names(from)}`;
  if (became === 'born') return 'born';
  if (into.length === 0) return 'retired';
  return `${into.length === 1 ? 'went' : 'split'} into ${names(into)}`;
}

/** As many names as a sentence takes in. */
const NAMED = 2;

/** Whether names still hold, of all there are now. */
export function tellNames(states: readonly { name: string; nameStatus: 'holds' | 'questionable' }[]): string {
  const questionable = states.filter(({ nameStatus }) => nameStatus === 'questionable');
  if (questionable.length === 0) return 'every name holds';
  const named = questionable.length > NAMED ? '' : `: ${listed(questionable.map(({ name }) => `"${name}"`))}`;
  const count = `${formatNumber(questionable.length)} of ${counted(states.length, 'name')}`;
  return `${count} ${questionable.length === 1 ? 'is' : 'are'} questionable${named}`;
}
