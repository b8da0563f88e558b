import type { ReviewPolicy, Run, SegmentSummary } from '../contracts/run.ts';
import type { Stability } from '../contracts/stages.ts';

export interface PublicationDecision {
  decision: Stability['decision'];
  /** Why, in sentences. */
  reasons: string[];
}

/**
 * Whether a run may be published without a person.
 *
 * Drifted customers are news, not a fault: holding their run back would show yesterday's truth. What needs a
 * person under `when-unstable` is a segmentation that changed by itself.
 */
export function decidePublication({
  policy,
  stability,
}: {
  policy: ReviewPolicy;
  stability: Pick<Stability, 'verdict' | 'reasons'>;
}): PublicationDecision {
  if (policy === 'always') {
    const why = 'the review policy asks a person before every publication';
    return { decision: 'hold', reasons: [why, ...stability.reasons] };
  }
  if (stability.verdict !== 'unstable') return { decision: 'publish', reasons: [...stability.reasons] };
  const doubt = 'the segmentation is not the one that was published before';
  if (policy === 'when-unstable') return { decision: 'hold', reasons: [doubt, ...stability.reasons] };
  const despite = 'published all the same, since the review policy is never';
  return { decision: 'publish', reasons: [doubt, ...stability.reasons, despite] };
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
