import { ApplicationFailure } from '@temporalio/common';
import type { ArtifactKind, ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { WatchStages } from '../../pipelines/contracts/missed-runs.ts';
import type { PartStages } from '../../pipelines/contracts/parts.ts';
import { parseRename, type RenameStages } from '../../pipelines/contracts/rename.ts';
import type { Run } from '../../pipelines/contracts/run.ts';
import type { Scale } from '../../pipelines/contracts/scale-settings.ts';
import type {
  AssignStages,
  DeliveryStages,
  HistoryStages,
  Stages,
} from '../../pipelines/contracts/stages.ts';

/** A reference to nothing: workflows pass references on and never look inside. */
export function fakeRef(kind: ArtifactKind, rows = 100): ArtifactRef {
  const sha256 = kind.padEnd(64, '0');
  return { uri: `${kind}/00/${sha256}.bin`, sha256, rows, bytes: 1_000, kind };
}

export function fakeRun(workflow: Run['workflow'], change: Partial<Run> = {}): Run {
  return {
    runId: `run_${workflow.runId.slice(0, 8)}`,
    kind: 'refit',
    pipeline: 'shop',
    asOf: null,
    seed: 1,
    definition: fakeRef('definition'),
    extract: null,
    review: 'when-unstable',
    workflow,
    ...change,
  };
}

const counts = {
  rowsRead: 1_200,
  rowsAccepted: 1_000,
  rowsQuarantined: 200,
  quarantinedBy: [{ rule: 'without-customer', rows: 200 }],
  customers: 100,
};

/** Stages that find a small healthy shop; a test overrides the one it is about. */
export function fakeStages(overrides: Partial<FakeStages> = {}): FakeStages {
  return {
    ...openingStages,
    ...numberStages,
    ...publishingStages,
    ...assignStages,
    ...partStages,
    ...peoplesStages,
    tellMissedRuns: async () => ({ schedules: 1, missing: 0, waiting: 0, unread: [] }),
    ...overrides,
  };
}

type FakeStages = Stages &
  AssignStages &
  PartStages &
  DeliveryStages &
  HistoryStages &
  RenameStages &
  WatchStages;

const openingStages = {
  openRun: async ({ input, workflow, kind = 'refit' }) => ({
    run: fakeRun(workflow, { kind, pipeline: input.pipeline ?? 'shop', asOf: input.asOf ?? null }),
    review: { timeoutHours: 1, onTimeout: 'reject' },
    k: { min: 3, max: 8 },
  }),
  takeTurn: async () => ({ granted: true, waitsFor: null }),
  awaitTurn: async () => ({ granted: true, waitsFor: null }),
  extractCustomers: async ({ run }) => ({
    artifact: fakeRef('extract', counts.rowsRead),
    asOf: run.asOf ?? '2026-07-01',
    watermark: '2026-06-30T21:14:00.000Z',
    rowsRead: counts.rowsRead,
    rowsAfterAsOf: 0,
    ms: 12,
  }),
  validateExtract: async () => ({
    verdict: 'pass',
    reasons: [],
    counts,
    report: fakeRef('report'),
    quarantine: fakeRef('quarantine', counts.rowsQuarantined),
    ms: 10,
  }),
  awaitClosed: async ({ workflow }) => ({ workflow }),
  keepHistory: async () => fakeRef('history'),
  deliverPipeline: async () => ({ secondsToNext: null }),
} satisfies Partial<Stages & HistoryStages & DeliveryStages>;

const numberStages = {
  profileExtract: async () => ({ report: fakeRef('report'), page: fakeRef('report'), ms: 5 }),
  buildFeatures: async () => ({
    customers: fakeRef('customers'),
    values: fakeRef('features'),
    matrix: fakeRef('matrix'),
    columns: ['recencyDays', 'orders', 'spend'],
    transforms: fakeRef('model'),
    ms: 8,
  }),
  fitClusters: async () => ({
    verdict: 'reproducible',
    reasons: [],
    k: 3,
    quality: {
      silhouette: 0.34,
      calinskiHarabasz: 300,
      daviesBouldin: 1.04,
      minJaccard: 0.9,
      bootstraps: 20,
      smallestShare: 0.2,
      verdict: 'reproducible',
      decidedBy: 'evidence',
      stableK: [3, 4],
      naturalK: [],
      valley: 1,
      nullDraws: 20,
      laterSpend: null,
      agreement: 1,
      scoredOn: { rows: 100, of: 100 },
      adjustedRand: null,
      movedShare: null,
    },
    sizes: [50, 30, 20],
    candidates: fakeRef('clustering'),
    labels: fakeRef('labels'),
    model: fakeRef('model'),
    ms: 40,
  }),
  matchIdentities: async () => ({
    base: null,
    segments: [50, 30, 20].map((_, cluster) => ({
      cluster,
      segmentId: `seg_${cluster}`,
      event: 'born' as const,
      overlap: null,
    })),
    retired: [],
    identities: fakeRef('identities'),
    ms: 3,
  }),
  nameSegments: async () => ({
    segments: [50, 30, 20].map((customers, cluster) => ({
      segmentId: `seg_${cluster}`,
      name: ['Active regulars', 'New low-spend', 'Lapsed high-spend'][cluster]!,
      description: '',
      customers,
      share: customers / 100,
      spendShare: null,
      typical: [],
      nameStatus: 'holds' as const,
      event: 'born' as const,
    })),
    names: fakeRef('names'),
    ms: 4,
  }),
} satisfies Partial<Stages>;

const publishingStages = {
  persistRun: async () => ({ memberships: 100, ms: 9 }),
  measureStability: async () => ({
    verdict: 'first',
    decision: 'publish',
    reasons: [],
    adjustedRand: null,
    movedShare: null,
    report: fakeRef('stability'),
    ms: 2,
  }),
  publishRun: async () => ({ publicationId: 1, replaced: null, ms: 2 }),
  deliverOutbox: async () => ({ delivered: 1, pending: 0, ms: 1 }),
  holdRun: async () => undefined,
  closeRun: async ({ closing }) => ({
    ...closing,
    manifest: { uri: 'manifest/00/0.json', sha256: '0'.repeat(64) },
  }),
} satisfies Partial<Stages>;

const peoplesStages = {
  findRenamed: async ({ rename }) => ({ ...parseRename(rename), segment: 'seg_0', seen: rename.seen ?? 1 }),
  renameSegment: async ({ run, rename: { segment, name, by, because } }) => ({
    ...{ segmentId: segment, pipeline: run.pipeline, name, by, because, previousName: 'Active regulars' },
    ...{ version: 2, since: '2026-07-01T08:00:00.000Z' },
  }),
} satisfies RenameStages;

/** A champion that fits as it did when it was fitted. */
const assignStages = {
  adoptChampion: async ({ run }) => ({
    run: {
      ...run,
      champion: {
        ...{ runId: 'run_fitted', asOf: '2026-06-01' },
        ...{ model: fakeRef('model', 3), labels: fakeRef('labels') },
      },
    },
    warnings: [],
  }),
  assignSegments: async () => {
    const { quality, ...fitted } = await numberStages.fitClusters();
    const figures = { customers: 100, simplifiedSilhouette: 0.45, distance: 0.9 };
    return {
      ...fitted,
      quality: {
        ...quality,
        assigned: { ...figures, whenFitted: figures, novelShare: 0.001, abstainedShare: 0 },
      },
    };
  },
  keepIdentities: async () => ({
    ...(await numberStages.matchIdentities()),
    base: { publicationId: 1, runId: 'run_fitted' },
  }),
  decideRefit: async () => ({ due: false, start: false, reasons: ['the verdict is stable'] }),
} satisfies AssignStages;

const partStages = {
  planParts: async ({ parts }) => ({ plan: fakeRef('part', parts), parts, ms: 1 }),
  aggregatePart: async () => ({ part: fakeRef('part'), ms: 2 }),
  assignPart: async () => ({ labels: fakeRef('part'), ms: 2 }),
  planMemberships: async ({ parts }) => ({ plan: fakeRef('part', parts), parts, ms: 1 }),
  loadMemberships: async () => ({ rows: 10, ms: 2 }),
} satisfies PartStages;

/** A run whose definition asks for so many parts. */
export const openedInParts =
  (scale: Scale): Stages['openRun'] =>
  async (input) => ({ ...(await openingStages.openRun(input)), scale });

export const unstable: Stages['measureStability'] = async () => ({
  verdict: 'unstable',
  decision: 'hold',
  reasons: ['adjusted Rand index 0.12, needs at least 0.30'],
  adjustedRand: 0.12,
  movedShare: 0.6,
  report: fakeRef('stability'),
  ms: 2,
});

export const failing = (code: string, message: string) => async () => {
  throw ApplicationFailure.nonRetryable(message, code);
};
