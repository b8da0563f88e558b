import { defineQuery, setCurrentDetails, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import { type ChoreProgress, HANDLERS } from '../pipelines/contracts/signatures.ts';

const UNKNOWN_SIGNALS_KEPT = 20;

export const choreProgressQuery = defineQuery<ChoreProgress>(HANDLERS.progress);

/**
 * What the Temporal UI shows of a workflow that goes on beside runs, and the answer of its `progress` query. Signals that
 * it answers to have their handlers before this.
 *
 * @returns tells what it does
 */
export function openChoreBoard(): (does: string) => void {
  const progress: ChoreProgress = { does: null, unknownSignals: [] };
  const draw = () => setCurrentDetails(listOf(progress));
  setHandler(choreProgressQuery, () => progress, {
    description: 'What it does, and the names of signals that no one answers to',
  });
  // A misspelt signal would vanish without a word.
  setDefaultSignalHandler((name) => {
    if (progress.unknownSignals.length < UNKNOWN_SIGNALS_KEPT) progress.unknownSignals.push(name);
    draw();
  });
  return (does) => {
    progress.does = does;
    draw();
  };
}

/** Plain CommonMark: the UI renders neither tables nor HTML. */
function listOf({ does, unknownSignals }: ChoreProgress): string {
  const lines = does === null ? [] : [does];
  if (unknownSignals.length > 0) {
    const names = unknownSignals.map((name) => `\`${name}\``).join(', ');
    lines.push('', `Signals that no one answers to: ${names}`);
  }
  return lines.join('\n');
}
