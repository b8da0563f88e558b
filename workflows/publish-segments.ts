import { CancellationScope, CancelledFailure, patched, proxyActivities } from '@temporalio/workflow';
import { COMPUTE, IO } from '../pipelines/contracts/policies.ts';
import type { Quality, Run } from '../pipelines/contracts/run.ts';
import type { Stability, Stages, Trail } from '../pipelines/contracts/stages.ts';
import { type Parted, persist } from './in-parts.ts';
import type { Ending, Told } from './run-frame.ts';
import type { Known, Step } from './run-steps.ts';
import { says, summaries } from './summaries.ts';
import { wordsOf } from './words-of.ts';

const io = proxyActivities<Stages>(IO);
const compute = proxyActivities<Stages>(COMPUTE);

export interface Segmented extends Omit<Trail, 'naming' | 'stability'> {
  run: Run;
  /** How long a person has, when one is asked. */
  reviewWithin: Parameters<Told['review']['decided']>[0];
}

/**
 * What follows once every customer is in a segment with an id: names, rows, the comparison with what readers see, and
 * the publication.
 *
 * @param afterwards what is done once readers see the run, also when a cancel comes
 */
export async function publishSegments(
  segmented: Segmented,
  { known, step, told, parted }: { known: Known; step: Step; told: Told; parted: Parted },
  afterwards: (stability: Stability) => Promise<string[]> = async () => [],
): Promise<Ending> {
  const { run, extract, validation, features, clustering, match } = segmented;
  const { board, pauses } = told;
  const naming = await step('name', summaries.name(match), says.name, (options) =>
    compute.nameSegments.executeWithOptions(options, [{ run, features, clustering, match }]),
  );
  known.segments = naming.segments;
  await step('persist', summaries.persist(features), says.persist, (options) =>
    persist(options, { run, extract, validation, features, clustering, match, naming }, parted),
  );
  const stability = await step('stability', summaries.stability(match), says.stability, (options) =>
    compute.measureStability.executeWithOptions(options, [{ run, features, clustering, match, naming }]),
  );
  known.verdict = stability.verdict;
  known.quality = withStability(clustering.quality, stability);
  board.judged(stability.verdict);

  const decision = await decide({ segmented, known, stability }, told);
  if (decision.rejected) return { outcome: 'rejected', reasons: decision.reasons };
  while (pauses.stops('publish')) await pauses.resumed('publish');
  pauses.over();
  obeyCancel();
  // From here on the pointer may move: a cancel comes too late to be half done, a pause to be taken.
  return CancellationScope.nonCancellable(async () => {
    await step('publish', summaries.publish(naming), says.publish, (options) =>
      io.publishRun.executeWithOptions(options, [
        { run, match, naming, review: decision.note, verdict: stability.verdict },
      ]),
    );
    const undelivered = await notify(run, step);
    const after = await afterwards(stability);
    return { outcome: 'published', reasons: [...decision.reasons, ...undelivered, ...after] };
  });
}

/** A cancel that came when the last stage had done its work ended nothing: no one has obeyed it yet. */
function obeyCancel(): void {
  if (CancellationScope.current().consideredCancelled && patched('cancel-before-publish'))
    throw new CancelledFailure('cancelled before the pointer moved');
}

interface Decision {
  rejected: boolean;
  reasons: string[];
  note: string | null;
}

async function decide(
  { segmented, known, stability }: { segmented: Segmented; known: Known; stability: Stability },
  { board, review }: Told,
): Promise<Decision> {
  if (stability.decision === 'publish') return { rejected: false, reasons: stability.reasons, note: null };
  const { run, reviewWithin } = segmented;
  const closing = { ...known, outcome: 'held' as const, reasons: stability.reasons };
  await io.holdRun.executeWithOptions({ summary: 'hold the run for a review' }, [{ run, closing }]);
  board.closed('held', stability.reasons);
  const { decision, note } = await review.decided(reviewWithin);
  board.resumed();
  const said = `review: ${decision}${note ? ` (${note})` : ''}`;
  return { rejected: decision === 'reject', reasons: [said], note: said };
}

/** A message that cannot be delivered does not undo a publication: it stays in the outbox, and the run says so. */
async function notify(run: Run, step: Step): Promise<string[]> {
  try {
    await step('notify', 'deliver the outbox', says.notify, (options) =>
      io.deliverOutbox.executeWithOptions({ ...options, scheduleToCloseTimeout: '5 minutes' }, [{ run }]),
    );
    return [];
  } catch (error) {
    return [`published, but a message waits in the outbox: ${wordsOf(error)}`];
  }
}

function withStability(
  quality: Quality,
  found: { adjustedRand: number | null; movedShare: number | null },
): Quality {
  return { ...quality, adjustedRand: found.adjustedRand, movedShare: found.movedShare };
}
