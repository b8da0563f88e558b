import { artifactsIn } from '../../pipelines/contracts/artifacts.ts';
import type {
  MadeAgain,
  OpenedReproduction,
  ReproducedStage,
  ReproduceStages,
  StageAgain,
} from '../../pipelines/contracts/reproduce.ts';
import type { Run } from '../../pipelines/contracts/run.ts';
import { fakeRef, fakeRun, fakeStages } from './fake-stages.ts';

const STAGES: ReproducedStage[] = [
  'validate',
  'profile',
  'features',
  'cluster',
  'match',
  'name',
  'stability',
];

export async function openedReproduction(
  workflow: Run['workflow'],
  change: Partial<OpenedReproduction> = {},
): Promise<OpenedReproduction> {
  const run = fakeRun({ id: 'segment/shop/2026-06-01', runId: 'b5f0c0de' }, { asOf: '2026-06-01' });
  const reproductionId = `rep_${workflow.runId.slice(0, 8)}`;
  return {
    ...{ reproductionId, runId: run.runId, kind: 'refit', pipeline: 'shop', asOf: '2026-06-01' },
    reproduction: {
      ...{ reproductionId, run, history: fakeRef('history'), manifest: fakeRef('manifest') },
      extract: await fakeStages().extractCustomers({ run }),
      ...{ basePublicationId: null, namedAt: '2026-06-02T01:00:00.000Z', stages: STAGES },
      code: { before: 'a'.repeat(64), now: 'a'.repeat(64) },
    },
    ...{ reasons: [], damaged: [], notes: [] },
    ...change,
  };
}

/** What the stage makes of the small healthy shop, all as it was. */
export async function stageAgain(
  stage: ReproducedStage,
  change: Partial<StageAgain> = {},
): Promise<StageAgain> {
  const { made, result } = await resultOf(stage);
  const digests = Object.fromEntries(artifactsIn(result).map(([name, { sha256 }]) => [name, sha256]));
  const compared = Object.keys(digests).length;
  return { made, digests, compared, differences: [], ms: 20, ...change };
}

async function resultOf(stage: ReproducedStage): Promise<{ result: object; made: MadeAgain }> {
  const stages = fakeStages();
  const nothing = {} as never;
  switch (stage) {
    case 'validate': {
      const result = await stages.validateExtract(nothing);
      return { result, made: { validation: result } };
    }
    case 'profile':
      return { result: await stages.profileExtract(nothing), made: {} };
    case 'features': {
      const result = await stages.buildFeatures(nothing);
      return { result, made: { features: result } };
    }
    case 'cluster':
    case 'assign': {
      const result = await stages.fitClusters(nothing);
      return { result, made: { clustering: result } };
    }
    case 'match': {
      const result = await stages.matchIdentities(nothing);
      return { result, made: { match: result } };
    }
    case 'name': {
      const result = await stages.nameSegments(nothing);
      return { result, made: { naming: result } };
    }
    case 'stability': {
      const result = await stages.measureStability(nothing);
      return { result, made: { stability: result } };
    }
  }
}

/** A reproduction in which all is the same; a test overrides the activity it is about. */
export function fakeReproduceStages(overrides: Partial<ReproduceStages> = {}): ReproduceStages {
  return {
    openReproduction: ({ workflow }) => openedReproduction(workflow),
    reproduceStage: ({ stage }) => stageAgain(stage),
    compareManifests: async () => ({ differences: [] }),
    closeReproduction: async () => undefined,
    ...overrides,
  };
}
