import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Run, RunSummary } from '../pipelines/contracts/run.ts';
import { endedEvent, startedEvent, type ToldRun } from '../pipelines/stages/openlineage/run-events.ts';
import type { NewMessage } from '../store/postgres/add-messages.ts';
import { LINEAGE_CHANNEL } from '../store/postgres/add-messages.ts';
import type { MessagesOfEnd } from '../store/postgres/runs.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';

// OpenLineage events are written in the transaction that opens or closes a run, and sent by what delivers a pipeline's
// outbox: none is lost, and no run waits for whoever takes them. Where they go stands in no message: the worker knows.

type Opened = ToldRun['run'];
type Ended = Pick<RunSummary, 'verdict' | 'reasons' | 'counts' | 'segments'>;

/** Of a run that ended before it knew them. */
const NOTHING: Pick<Ended, 'counts' | 'segments'> = {
  counts: { rowsRead: 0, rowsAccepted: 0, rowsQuarantined: 0, quarantinedBy: [], customers: 0 },
  segments: [],
};

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
 */
export async function lineageOfEnd(
  context: ActivityContext,
  run: Opened & Pick<Run, 'definition'>,
): Promise<(ended: Pick<Ended, 'verdict' | 'reasons'> & Partial<Ended>) => MessagesOfEnd> {
  if (!context.lineage) return () => () => [];
  const definition = await frozenDefinition(context.artifacts, run).catch(() => null);
  return (ended) => (outcome) => {
    const told = toldOf(context, run, definition);
    return told ? [messageOf('openlineage.end', endedEvent(told, { ...NOTHING, ...ended, outcome }))] : [];
  };
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
