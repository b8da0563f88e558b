import type { AlertMessage } from '../contracts/alerts.ts';
import { type Channel, takes, waitsUntil } from '../contracts/channels.ts';
import type { BeforePublished, ReviewPolicy, Run, RunKind, SegmentSummary } from '../contracts/run.ts';
import type { Stability } from '../contracts/stages.ts';

export interface PublicationDecision {
  decision: Stability['decision'];
  /** Why, in sentences. */
  reasons: string[];
}

/** Dates are ISO; null where one is not known. */
export interface PublicationQuestion {
  policy: ReviewPolicy;
  stability: Pick<Stability, 'verdict' | 'reasons'>;
  asOf: string | null;
  /** As of when is what readers see; null when they see nothing yet. */
  publishedAsOf: string | null;
  /** Absent in runs of older code, which were held. */
  beforePublished?: BeforePublished;
  kind: RunKind;
}

type Dates = Pick<PublicationQuestion, 'asOf' | 'publishedAsOf' | 'beforePublished' | 'kind'>;

// ISO dates sort as text.
function isOlder({ asOf, publishedAsOf }: Dates): boolean {
  return asOf !== null && publishedAsOf !== null && asOf < publishedAsOf;
}

/**
 * Whether the run joins the history beside what readers see: it is compared with what was before its own date. A run
 * that assigns never does: it is by the model that readers see, and would be compared with another one's segments.
 */
export function isAside(dates: Dates): boolean {
  return dates.beforePublished === 'aside' && dates.kind !== 'assign' && isOlder(dates);
}

/** Why a run is rejected before its work begins; undefined where it is not. */
export function refusalOf(dates: Dates): string[] | undefined {
  if (dates.beforePublished !== 'refuse' || !isOlder(dates)) return undefined;
  return [
    `the run is as of ${dates.asOf} and readers see ${dates.publishedAsOf}: older runs are refused (beforePublished); choose a later date, or let them be held or kept aside`,
  ];
}

/**
 * Whether a run may be published without a person.
 *
 * Drifted customers are news, not a fault: holding their run back would show yesterday's truth. What needs a
 * person under `when-unstable` is a segmentation that changed by itself, and a run over the past: a pointer
 * moved to it would show an older state as the present one.
 */
export function decidePublication(question: PublicationQuestion): PublicationDecision {
  const { policy, stability } = question;
  const doubts = doubtsOf(question);
  const asMeasured = isAside(question) ? [keptAside(question), ...stability.reasons] : [...stability.reasons];
  if (policy === 'always') {
    const why = 'the review policy asks a person before every publication';
    return { decision: 'hold', reasons: [why, ...doubts, ...asMeasured] };
  }
  if (doubts.length === 0) return { decision: 'publish', reasons: asMeasured };
  // Where older runs are kept aside, none takes the place of what readers see without a person, not even under `never`.
  const isKeptBack = question.beforePublished === 'aside' && isOlder(question) && !isAside(question);
  if (policy === 'when-unstable' || isKeptBack)
    return { decision: 'hold', reasons: [...doubts, ...asMeasured] };
  const despite = 'published all the same, since the review policy is never';
  return { decision: 'publish', reasons: [...doubts, ...asMeasured, despite] };
}

function keptAside({ asOf, publishedAsOf }: Dates): string {
  return `kept aside: the run is part of the history as of ${asOf}, readers go on seeing ${publishedAsOf}`;
}

function doubtsOf(question: PublicationQuestion): string[] {
  const doubts: string[] = [];
  const { stability, asOf, publishedAsOf } = question;
  if (isOlder(question) && !isAside(question)) {
    doubts.push(
      `the run is as of ${asOf} and readers see ${publishedAsOf}: published, the older state would pass for the present one`,
    );
  }
  if (stability.verdict === 'unstable') {
    doubts.push('the segmentation is not the one that was published before');
  }
  return doubts;
}

/** What `run.published` tells: figures of segments, no customer. */
export interface PublishedMessage {
  event: 'run.published';
  runId: string;
  pipeline: string;
  asOf: string | null;
  customers: number;
  segments: Pick<SegmentSummary, 'segmentId' | 'name' | 'customers' | 'share' | 'spendShare' | 'event'>[];
  retired: string[];
}

/** The message of a publication, for every channel the same. */
export function publishedMessage({
  run,
  segments,
  retired,
}: {
  run: Run;
  segments: readonly SegmentSummary[];
  retired: readonly string[];
}): PublishedMessage {
  return {
    event: 'run.published',
    runId: run.runId,
    pipeline: run.pipeline,
    asOf: run.asOf,
    customers: segments.reduce((sum, segment) => sum + segment.customers, 0),
    segments: segments.map(({ segmentId, name, customers, share, spendShare, event }) => ({
      segmentId,
      name,
      customers,
      share,
      spendShare,
      event,
    })),
    retired: [...retired],
  };
}

/**
 * A publication for each channel that takes publications.
 *
 * @param quietUntil ISO time of the end of the quiet hours; null: they are not on
 */
export function publicationMessages(
  message: PublishedMessage,
  { notify, quietUntil }: { notify: readonly Channel[]; quietUntil: string | null },
): AlertMessage[] {
  return notify.flatMap((channel, i) =>
    takes(channel, 'publications')
      ? [
          {
            ...{ event: message.event, channel: `${i}:${channel.kind}`, settings: channel, payload: message },
            notBefore: waitsUntil(channel, quietUntil),
          },
        ]
      : [],
  );
}
