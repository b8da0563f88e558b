import type { ActivityContext } from '../activities/context.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { checkReason, checkSegmentName } from '../pipelines/contracts/segment-name.ts';
import { type Condition, checkCondition } from '../pipelines/stages/name-evidence.ts';
import type { NameVersion } from '../store/postgres/name-versions.ts';
import type { ChangedName, Judge, NamedSegment } from '../store/postgres/names.ts';
import { listSegments } from './names-list.ts';

type Stores = Pick<ActivityContext, 'artifacts' | 'repositories' | 'definitionFolders'>;

export interface Asked {
  segment: string;
  pipeline?: string;
  because?: string;
  by: string;
  seen?: number;
}

export interface Changed extends ChangedName {
  pipeline: string;
  segmentId: string;
}

/** A person's own name. @throws PipelineError as the repository of names does, NAME_REFUSED */
export async function setName(stores: Stores, asked: Asked & { name: string }): Promise<Changed> {
  const name = checkSegmentName(asked.name);
  const found = await find(stores, asked);
  const changed = await stores.repositories.names.set({ ...decisionOn(found, asked, ''), name });
  return { ...changed, pipeline: found.pipeline, segmentId: found.segmentId };
}

/** Back to a version that was in force; without one, to the last name that the engine gave. */
export async function revertName(stores: Stores, asked: Asked & { version?: number }): Promise<Changed> {
  const { names } = stores.repositories;
  const found = await find(stores, asked);
  const version = asked.version ?? lastAutomatic(found, await names.history(found.segmentId));
  const decision = decisionOn(found, asked, `back to version ${version}`);
  const changed = await names.revert({ ...decision, version, judge });
  return { ...changed, pipeline: found.pipeline, segmentId: found.segmentId };
}

/** The name that the last run proposes for a segment whose name no longer holds. */
export async function acceptName(stores: Stores, asked: Asked): Promise<Changed> {
  const found = await find(stores, asked);
  const { pipeline, segmentId } = found;
  const listed = (await listSegments(stores, pipeline)).find((segment) => segment.segmentId === segmentId);
  const proposal = listed?.proposal;
  if (!proposal) throw nothingProposed(found);
  const decision = decisionOn(found, asked, `accepts what ${found.runId} proposes`);
  const changed = await stores.repositories.names.accept({ ...decision, proposal });
  return { ...changed, pipeline, segmentId };
}

/** All names of a segment; of one that has retired by its id alone. */
export async function historyOfNames(
  { repositories }: Stores,
  asked: Pick<Asked, 'segment' | 'pipeline'>,
): Promise<{ segmentId: string; names: NameVersion[] }> {
  const byId = await repositories.names.history(asked.segment);
  if (byId.length > 0) return { segmentId: asked.segment, names: byId };
  const { segmentId } = await find({ repositories }, asked);
  return { segmentId, names: await repositories.names.history(segmentId) };
}

function find(
  { repositories }: Pick<Stores, 'repositories'>,
  { segment, pipeline }: Pick<Asked, 'segment' | 'pipeline'>,
): Promise<NamedSegment> {
  return repositories.names.find({ segment, ...(pipeline !== undefined && { pipeline }) });
}

function decisionOn({ segmentId, version }: NamedSegment, { because, by, seen }: Asked, otherwise: string) {
  const reason = because === undefined ? otherwise : checkReason(because);
  return { segmentId, by, reason, seen: seen ?? version };
}

/** A run's guard on a name, by the figures that readers see; a person's own name claims nothing. */
const judge: Judge = (condition, profile) => {
  const { words } = condition as Partial<Condition>;
  const features = profile as Parameters<typeof checkCondition>[1]['features'];
  return checkCondition({ words: words ?? [] }, { features: features ?? {} }) ? 'holds' : 'questionable';
};

function lastAutomatic({ segmentId, author }: NamedSegment, history: readonly NameVersion[]): number {
  const versions = history.map(({ version }) => version).join(', ');
  const last = history.findLast((known) => known.author === 'auto');
  if (author === 'manual' && last) return last.version;
  throw new PipelineError(
    'INPUT_INVALID',
    `going back needs the version to go to, since the name of ${segmentId} is the automatic one; ` +
      `there are ${versions}: npm run strata -- names history ${segmentId}`,
  );
}

function nothingProposed({ segmentId, name, status }: NamedSegment): PipelineError {
  const found =
    status === 'holds' ? `its name "${name}" holds` : `its last run has none for "${name}"; the next one may`;
  return new PipelineError(
    'INPUT_INVALID',
    `accepting needs a name that is proposed for ${segmentId}, ${found}; to give one of your own: ` +
      `npm run strata -- names set ${segmentId} "NAME" --because "WHY"`,
  );
}
