import type { Definition } from '../pipelines/contracts/definition.ts';
import { ERRORS, PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { endedEvent, startedEvent, type ToldRun } from '../pipelines/stages/openlineage/run-events.ts';
import type { NewMessage } from '../store/postgres/add-messages.ts';
import { LINEAGE_CHANNEL } from '../store/postgres/add-messages.ts';
import type { MessagesOfEnd } from '../store/postgres/runs.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';

// OpenLineage events are written in the transaction that opens or closes a run, and sent by what delivers a pipeline's
// outbox: none is lost, and no run waits for whoever takes them. Where they go stands in no message: the worker knows.

type Opened = ToldRun['run'];
type Ended = Parameters<typeof endedEvent>[1];

export function lineageOfOpening(
  context: ActivityContext,
  run: Opened,
  definition: Definition,
): readonly NewMessage[] {
  const told = toldOf(context, run, definition);
  return told ? [messageOf('openlineage.start', startedEvent(told))] : [];
}

/**
 * To be asked before a run's artifacts are released: the definition is one of them. An earlier attempt may have released
 * it; then the event names no data, and the run ends all the same.
 *
 * @throws PipelineError ARTIFACTS_UNREACHABLE: the closing, which needs the store anyway, is tried again
 */
export async function lineageOfEnd(
  context: ActivityContext,
  run: Opened & Pick<Run, 'definition'>,
): Promise<(ended: Omit<Ended, 'outcome'>) => MessagesOfEnd> {
  if (!context.lineage) return () => () => [];
  const definition = await frozenDefinition(context.artifacts, run).catch(whereGone);
  return (ended) => (outcome) => {
    const told = toldOf(context, run, definition);
    return told ? [messageOf('openlineage.end', endedEvent(told, { ...ended, outcome }))] : [];
  };
}

/** What does not get better keeps no run open; a store that is away comes back. */
function whereGone(error: unknown): null {
  if (error instanceof PipelineError && !ERRORS[error.code].retry) return null;
  throw error;
}

function toldOf(
  { lineage, codeVersion }: ActivityContext,
  run: Opened,
  definition: Definition | null,
): ToldRun | null {
  if (!lineage) return null;
  return { run, definition, places: lineage.places, at: new Date().toISOString(), codeVersion };
}

const messageOf = (event: string, payload: unknown): NewMessage => ({
  ...{ event, channel: LINEAGE_CHANNEL, payload },
  settings: { kind: LINEAGE_CHANNEL },
});
