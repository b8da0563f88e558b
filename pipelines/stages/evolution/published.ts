import type { Quality, Verdict } from '../../contracts/run.ts';
import type { Profiles } from '../segment-profile.ts';

// What diff and evolution are made of: publications as they are looked back at, without a single customer.

/** A segment in one publication. */
export interface SegmentState {
  segmentId: string;
  /** As it was then. */
  name: string;
  nameStatus: 'holds' | 'questionable';
  customers: number;
  /** Of the publication's customers, in [0, 1]. */
  share: number;
  /** Null where the pipeline has no spend. */
  spendCents: number | null;
  /** Of the publication's spend, in [0, 1]; null where there are no shares of a whole. */
  spendShare: number | null;
}

export interface PublishedRun {
  publicationId: number;
  runId: string;
  kind: 'refit' | 'assign';
  /** ISO date. */
  asOf: string;
  /** Of the runs as of this date. */
  version: number;
  publishedAt: string;
  /** Of the run's audit; null where none is on record. */
  verdict: Verdict | null;
  reasons: string[];
  /** Who let it through and why; null where no one was asked. */
  review: string | null;
  quality: Quality['verdict'] | null;
  /** The definition's version. */
  definitionVersion: number;
  customers: number;
  spendCents: number | null;
  /** In the order of their clusters. */
  segments: SegmentState[];
}

/** A publication with the figures of its segments, which sentences are made of. */
export interface ProfiledRun extends PublishedRun {
  profiles: Profiles;
}

/** How a page and a sentence call each segment: its present name, told apart where two have the same. */
export type SegmentNames = ReadonlyMap<string, string>;

/**
 * The name that each segment goes by where several publications are told of: the present one, or the last one it had.
 * Segments of one name get the date until which, or since when, they are meant.
 *
 * @param runs in the order of their dates; `present` names in force by segment
 */
export function namesOverTime(
  runs: readonly Pick<PublishedRun, 'asOf' | 'segments'>[],
  present: ReadonlyMap<string, string>,
): Map<string, string> {
  const names = new Map<string, string>();
  const last = new Map<string, number>();
  runs.forEach(({ segments }, at) => {
    for (const { segmentId, name } of segments) {
      names.set(segmentId, present.get(segmentId) ?? name);
      last.set(segmentId, at);
    }
  });
  const bearers = new Map<string, number>();
  for (const name of names.values()) bearers.set(name, (bearers.get(name) ?? 0) + 1);
  for (const [segmentId, name] of names) {
    if (bearers.get(name) === 1) continue;
    const at = last.get(segmentId)!;
    if (at < runs.length - 1) names.set(segmentId, `${name} (until ${runs[at]!.asOf})`);
  }
  return madeUnique(names);
}

/** The end of an id tells those apart that dates do not. */
function madeUnique(names: Map<string, string>): Map<string, string> {
  const bearers = new Map<string, string[]>();
  for (const [segmentId, name] of names) bearers.set(name, [...(bearers.get(name) ?? []), segmentId]);
  for (const [name, ids] of bearers) {
    if (ids.length > 1) for (const id of ids) names.set(id, `${name} (${id.slice(-4)})`);
  }
  return names;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `2011-04-01` -> `1 Apr 2011`. */
export function dateWords(asOf: string): string {
  const [year, month, day] = asOf.slice(0, 10).split('-');
  return `${Number(day)} ${MONTHS[Number(month) - 1]} ${year}`;
}

/** `1 Apr` and `2011`, for a plot. */
export function dateLabel({ asOf, version }: Pick<PublishedRun, 'asOf' | 'version'>): [string, string] {
  const [day, month, year] = dateWords(asOf).split(' ');
  return [`${day} ${month}`, version > 1 ? `${year} v${version}` : year!];
}
