import type { RunSummary } from '../../../pipelines/contracts/run.ts';
import type { RunProgress } from '../../../pipelines/contracts/signatures.ts';
import type { Execution, PendingActivity } from '../../../scripts/show/execution.ts';
import type { RunFacts } from '../../../scripts/show/facts.ts';
import type { RunRecord } from '../../../store/postgres/run-records.ts';
import type { StageRecord } from '../../../store/postgres/stages.ts';
import { artifactRef } from '../../store/postgres/fixture.ts';

export const WORKFLOW = { id: 'segment/shop/2026-07-01', runId: '0f0f' };
export const RUN_ID = 'run_0123456789abcdef';
export const OPENED = '2026-07-01T04:05:06.000Z';
/** So many seconds after the run was opened. */
export const after = (seconds: number) => new Date(Date.parse(OPENED) + seconds * 1_000).toISOString();
export const msAfter = (seconds: number) => Date.parse(after(seconds));

export function record(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    ...{
      runId: RUN_ID,
      sequence: 1,
      kind: 'refit',
      pipeline: 'shop',
      asOf: '2026-07-01',
      version: 1,
      seed: 1,
    },
    ...{ definition: artifactRef('definition'), input: { pipeline: 'shop', asOf: '2026-07-01' } },
    ...{ workflow: WORKFLOW, watermark: null, rowsRead: 1_000, outcome: null, verdict: null, reasons: [] },
    ...{ summary: null, manifest: null, history: null, openedAt: OPENED, heldAt: null, closedAt: null },
    ...changes,
  };
}

export function stage(
  name: StageRecord['stage'],
  ms: number,
  changes: Partial<StageRecord> = {},
): StageRecord {
  const times = { attempt: 1, startedAt: OPENED, ms };
  return { runId: RUN_ID, stage: name, ...times, rows: null, artifact: null, ...changes };
}

export function progress(changes: Partial<RunProgress> = {}): RunProgress {
  return {
    ...{ runId: RUN_ID, pipeline: 'shop', asOf: '2026-07-01', stage: null, waitsFor: null },
    ...{ outcome: 'running', verdict: null, reasons: [], done: [], unknownSignals: [] },
    ...changes,
  };
}

export function activity(type: string, changes: Partial<PendingActivity> = {}): PendingActivity {
  return {
    ...{ type, stage: null, attempt: 1, maximumAttempts: 10, isStarted: true, scheduledAt: OPENED },
    ...{ startedAt: OPENED, nextAt: null, heartbeat: null, isPaused: false, fault: null, queue: null },
    ...changes,
  };
}

export function execution(changes: Partial<Execution> = {}): Execution {
  return {
    ...{ workflow: WORKFLOW, type: 'segmentCustomers', taskQueue: 'strata', status: 'RUNNING', isOpen: true },
    ...{
      isCancelRequested: false,
      startedAt: OPENED,
      closedAt: null,
      activities: [],
      task: null,
      unattended: [],
    },
    attributes: {
      ...{ pipeline: 'shop', stage: null, outcome: null, verdict: null, asOf: null },
      ...{ customers: null, segments: null },
    },
    ...changes,
  };
}

export function facts(changes: Partial<RunFacts> = {}): RunFacts {
  return {
    ...{ runId: RUN_ID, workflow: WORKFLOW, record: record(), stages: [], usual: { ms: {}, runs: 0 } },
    ...{
      review: null,
      execution: execution(),
      temporal: 'answers',
      progress: progress(),
      result: null,
      failure: null,
    },
    ...{ earlier: null, input: null, notes: [] },
    ...changes,
  };
}

export function summary(changes: Partial<RunSummary> = {}): RunSummary {
  const segment = (segmentId: string, name: string, customers: number) => ({
    ...{ segmentId, name, customers, description: '', share: customers / 10, spendShare: null },
    ...{ typical: [], nameStatus: 'holds' as const, event: 'born' as const },
  });
  return {
    ...{ runId: RUN_ID, kind: 'refit', pipeline: 'shop', asOf: '2026-07-01', outcome: 'published' },
    ...{ verdict: 'first', reasons: [], k: 2, quality: null, stages: [], manifest: null, workflow: WORKFLOW },
    counts: {
      ...{ rowsRead: 1_000, rowsAccepted: 990, rowsQuarantined: 10, customers: 10 },
      quarantinedBy: [{ rule: 'free', rows: 10 }],
    },
    segments: [segment('seg_a', 'Active regulars', 6), segment('seg_b', 'Lapsed', 4)],
    ...changes,
  };
}
