import type { ArtifactKind, ArtifactRef } from '../../../pipelines/contracts/artifacts.ts';
import type { RunSummary } from '../../../pipelines/contracts/run.ts';
import type { MembershipRows } from '../../../store/postgres/copy-binary.ts';
import type { Repositories } from '../../../store/postgres/repositories.ts';
import type { NewRun } from '../../../store/postgres/runs.ts';
import type { Segmentation, SegmentInRun } from '../../../store/postgres/segmentations.ts';

/** A reference as a stage would give it; what it points at does not matter to PostgreSQL. */
export function artifactRef(kind: ArtifactKind): ArtifactRef {
  const sha256 = 'a'.repeat(64);
  return { uri: `${kind}/aa/${sha256}.json`, sha256, rows: 1, bytes: 2, kind };
}

export function newRun(runId: string, pipeline = 'shop'): NewRun {
  return {
    runId,
    kind: 'refit',
    pipeline,
    seed: 1,
    definition: artifactRef('definition'),
    input: { pipeline },
    workflow: { id: `segment/${pipeline}/latest`, runId: `workflow-${runId}` },
  };
}

export function segment(segmentId: string, changes: Partial<SegmentInRun> = {}): SegmentInRun {
  return {
    segmentId,
    cluster: Number(segmentId.slice(-1)),
    name: `Name of ${segmentId}`,
    description: 'Who they are',
    customers: 2,
    share: 0.5,
    spendShare: 0.25,
    typical: ['orders 10 (all: 2)'],
    nameStatus: 'holds',
    event: 'born',
    parents: [],
    profile: { orders: { median: 10 } },
    ...changes,
  };
}

export function segmentation(segments: SegmentInRun[], names: Segmentation['names'] = []): Segmentation {
  const artifacts = {
    model: artifactRef('model'),
    customers: artifactRef('customers'),
    labels: artifactRef('labels'),
    values: artifactRef('features'),
    identities: artifactRef('identities'),
  };
  return { artifacts, segments, names };
}

export function memberships(customerIds: string[], segmentIds: string[]): MembershipRows {
  const encoded = customerIds.map((id) => Buffer.from(id));
  const offsets = new Uint32Array(customerIds.length + 1);
  for (const [i, id] of encoded.entries()) offsets[i + 1] = offsets[i]! + id.length;
  const count = customerIds.length;
  return {
    customers: { offsets, bytes: Buffer.concat(encoded) },
    labels: Uint8Array.from({ length: count }, (_, i) => i % segmentIds.length),
    segmentIds,
    distance: Float32Array.from({ length: count }, (_, i) => i + 0.5),
    margin: Float32Array.from({ length: count }, (_, i) => 1 / (i + 1)),
  };
}

/** A run with all that persisting leaves, ready to be published. */
export async function persistRun(
  repositories: Repositories,
  runId: string,
  options: { pipeline?: string; segments?: SegmentInRun[]; names?: Segmentation['names'] } = {},
): Promise<void> {
  const segments = options.segments ?? [segment(`seg_${runId}_0`), segment(`seg_${runId}_1`)];
  const names =
    options.names ??
    segments.filter(({ event }) => event === 'born').map(({ segmentId, name }) => nameOf(segmentId, name));
  await repositories.runs.open(newRun(runId, options.pipeline));
  await repositories.segmentations.save(runId, segmentation(segments, names));
  const ids = segments.map(({ segmentId }) => segmentId);
  await repositories.memberships.load(runId, memberships(['1001', '1002', '1003', 'ä-1004'], ids));
  await repositories.stability.save(runId, {
    movements: [{ from: null, to: ids[0]!, cause: 'behaviour', customers: 4, spendCents: 1250.4 }],
    metrics: [{ metric: 'adjusted-rand', subject: '', value: 0.9, threshold: 0.3, verdict: 'stable' }],
  });
}

export function nameOf(segmentId: string, name: string) {
  return {
    segmentId,
    name,
    description: 'Who they are',
    author: 'auto' as const,
    reason: 'born',
    condition: { feature: 'orders', atLeast: 5 },
  };
}

export function publishRun(
  repositories: Repositories,
  runId: string,
  options: { pipeline?: string; expectedBase?: number | null } = {},
) {
  return repositories.publications.publish({
    pipeline: options.pipeline ?? 'shop',
    runId,
    expectedBase: options.expectedBase ?? null,
    review: null,
    messages: [{ event: 'run.published', channel: 'log', payload: { runId } }],
  });
}

export function summary(runId: string, outcome: RunSummary['outcome'], reasons: string[] = []): RunSummary {
  return {
    runId,
    kind: 'refit',
    pipeline: 'shop',
    asOf: '2026-06-30',
    outcome,
    verdict: 'stable',
    reasons,
    counts: { rowsRead: 0, rowsAccepted: 0, rowsQuarantined: 0, quarantinedBy: [], customers: 0 },
    k: 2,
    segments: [],
    quality: null,
    stages: [],
    manifest: null,
    workflow: { id: 'segment/shop/latest', runId: `workflow-${runId}` },
  };
}
