import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { type ChoreProgress, HANDLERS } from '../pipelines/contracts/signatures.ts';
import { keepUnknownSignals, unknownSignalLines } from './board-parts.ts';

export const choreProgressQuery = defineQuery<ChoreProgress>(HANDLERS.progress);

/**
 * What the Temporal UI shows of a workflow that goes on beside runs, and the answer of its `progress` query. Signals that
 * it answers to have their handlers before this.
 *
 * @returns tells what it does
 */
export function openChoreBoard(): (does: string) => void {
  const progress: ChoreProgress = { does: null, unknownSignals: [] };
  const say = (change: Partial<ChoreProgress>) => {
    Object.assign(progress, change);
    setCurrentDetails(listOf(progress));
  };
  setHandler(choreProgressQuery, () => progress, {
    description: 'What it does, and the names of signals that no one answers to',
  });
  keepUnknownSignals(progress, say);
  return (does) => say({ does });
}

/** Plain CommonMark: the UI renders neither tables nor HTML. */
function listOf({ does, unknownSignals }: ChoreProgress): string {
  return [...(does === null ? [] : [does]), ...unknownSignalLines(unknownSignals)].join('\n');
}
