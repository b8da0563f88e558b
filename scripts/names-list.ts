import type { ActivityContext } from '../activities/context.ts';
import type { NamesFile } from '../activities/name.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { decodeJson } from '../store/artifacts/json.ts';
import { loadDefinition } from '../store/definitions.ts';
import type { NamedSegment } from '../store/postgres/names.ts';

export interface ListedSegment extends NamedSegment {
  /** Why the name does not hold, in words of the run; null where it does, or no run has said so yet. */
  doubt: string | null;
  /** What the engine would call it; null where it has no proposal. */
  proposal: Proposal | null;
}

export interface Proposal {
  name: string;
  /** What the name rests on; kept with it. */
  condition: unknown;
}

type Stores = Pick<ActivityContext, 'artifacts' | 'repositories' | 'definitionFolders'>;

/** Published segments with their names; of those whose name does not hold, what the last run proposes. */
export async function listSegments(
  { artifacts, repositories, definitionFolders }: Stores,
  pipeline: string | undefined,
): Promise<ListedSegment[]> {
  const segments = await repositories.names.list(pipeline === undefined ? {} : { pipeline });
  // A name mistyped is the likelier mistake: it is answered with those that there are.
  if (pipeline !== undefined && segments.length === 0) await loadDefinition(definitionFolders, pipeline);
  const doubtful = segments.filter(({ status }) => status === 'questionable');
  const runIds = [...new Set(doubtful.map(({ runId }) => runId))];
  const files = new Map<string, NamesFile | null>();
  for (const runId of runIds) files.set(runId, await namesOf({ artifacts, repositories }, runId));
  return segments.map((segment) => ({ ...segment, ...opinionOf(segment, files.get(segment.runId) ?? null) }));
}

/** What the run wrote down of its names; null where that is kept no more. */
async function namesOf(
  { artifacts, repositories }: Pick<Stores, 'artifacts' | 'repositories'>,
  runId: string,
): Promise<NamesFile | null> {
  const stages = await repositories.stages.forRun(runId);
  const artifact = stages.find(({ artifact: kept }) => kept?.kind === 'names')?.artifact;
  if (!artifact) return null;
  try {
    return decodeJson(await artifacts.read(artifact)) as NamesFile;
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'ARTIFACT_MISSING') return null;
    throw error;
  }
}

/** The run's opinion, as far as it is about the name that is in force now. */
function opinionOf(
  { segmentId, name, author }: NamedSegment,
  file: NamesFile | null,
): Pick<ListedSegment, 'doubt' | 'proposal'> {
  const judged = file?.names.find((known) => known.segmentId === segmentId);
  const isAbout = judged?.name === name && judged.author === author && judged.status === 'questionable';
  if (!judged || !isAbout) return { doubt: null, proposal: null };
  const { proposal } = judged;
  return {
    doubt: judged.reason,
    proposal: proposal && { name: proposal.name, condition: proposal.condition },
  };
}
