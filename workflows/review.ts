import { ApplicationFailure, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { shortened } from '../pipelines/contracts/inbox.ts';
import { keptText } from '../pipelines/contracts/sent-text.ts';
import { HANDLERS, type ReviewDecision } from '../pipelines/contracts/signatures.ts';
import type { ReviewSettings } from '../pipelines/contracts/stages.ts';
import { unreadableIn } from '../pipelines/contracts/unreadable.ts';
import type { RunBoard } from './run-board.ts';

const NOTE_LENGTH = 500;
const HOUR_MS = 3_600_000;

export const reviewUpdate = defineUpdate<string, [ReviewDecision?]>(HANDLERS.review);

export interface Review {
  /** Waits for a person, at most as long as the definition says; then its own word counts. */
  decided(settings: ReviewSettings): Promise<ReviewDecision>;
}

/** From here on the run answers to the `review` update, and refuses it with a reason while it is not held. */
export function acceptReview(board: RunBoard): Review {
  let decision: ReviewDecision | null = null;
  let isOver = false;
  setHandler(
    reviewUpdate,
    (sent?: ReviewDecision) => {
      const { note } = sent!;
      decision = { decision: sent!.decision, note: note && keptText(note, NOTE_LENGTH) };
      return decision.decision === 'publish' ? 'the run will be published' : 'the run will be rejected';
    },
    {
      description: 'Decide on a held run: {"decision": "publish" | "reject", "note": "why"}',
      validator: (sent?: ReviewDecision) =>
        refuseUnlessDecidable(sent, { board, isDecided: decision !== null || isOver }),
    },
  );
  return {
    async decided(settings) {
      try {
        const summary = `waits for a review, then ${settings.onTimeout}`;
        await condition(() => decision !== null, settings.timeoutHours * HOUR_MS, { summary });
      } finally {
        // After the time-out or a cancel a decision would be taken and not heeded.
        isOver = true;
      }
      const note = `no decision within ${settings.timeoutHours} hours: the definition says ${settings.onTimeout}`;
      return decision ?? { decision: settings.onTimeout, note };
    },
  };
}

function refuseUnlessDecidable(
  sent: unknown,
  { board, isDecided }: { board: RunBoard; isDecided: boolean },
): void {
  const fault = faultOf(sent);
  if (fault) {
    refuse(`review needs {"decision": "publish" or "reject", "note": "why" (may be left out)}, ${fault}`);
  }
  if (isDecided) refuse('review was decided already; a decision is taken once');
  if (board.progress.outcome !== 'held') {
    const at = board.progress.stage ? `in stage ${board.progress.stage}` : board.progress.outcome;
    refuse(`review needs a run that is held, this one is ${at}`);
  }
}

function faultOf(sent: unknown): string | null {
  if (sent === null || typeof sent !== 'object' || Array.isArray(sent)) return 'found no object';
  const unreadable = unreadableIn(sent);
  if (unreadable !== null) return `found ${unreadable}`;
  const { decision, note, ...unknown } = sent as Record<string, unknown>;
  if (decision !== 'publish' && decision !== 'reject') return 'found no such decision';
  if (note !== undefined && typeof note !== 'string') return 'found a note that is no text';
  const names = Object.keys(unknown).slice(0, 5);
  return names.length > 0
    ? `found unknown fields ${names.map((name) => shortened(name, 40)).join(', ')}`
    : null;
}

function refuse(message: string): never {
  throw ApplicationFailure.nonRetryable(message, 'REVIEW_REFUSED');
}
