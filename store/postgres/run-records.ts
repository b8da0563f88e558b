import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { Outcome, RunKind, RunSummary, StartInput, Verdict } from '../../pipelines/contracts/run.ts';

export interface RunRecord {
  runId: string;
  /** Order in which runs were opened, over all pipelines. */
  sequence: number;
  kind: RunKind;
  pipeline: string;
  asOf: string | null;
  /** Second and later runs of one as-of date are versions of it; null until the extract is read. */
  version: number | null;
  seed: number;
  definition: ArtifactRef;
  input: StartInput;
  workflow: { id: string; runId: string };
  watermark: string | null;
  rowsRead: number | null;
  /** Null while running, `held` while a person is asked. */
  outcome: Outcome | null;
  verdict: Verdict | null;
  reasons: string[];
  summary: RunSummary | null;
  manifest: ArtifactRef | null;
  history: ArtifactRef | null;
  openedAt: string;
  heldAt: string | null;
  closedAt: string | null;
}

/** As the table has it. */
export interface RunRow {
  run_id: string;
  sequence: number;
  kind: RunKind;
  pipeline: string;
  as_of: string | null;
  version: number | null;
  seed: number;
  definition: ArtifactRef;
  input: StartInput;
  workflow_id: string;
  workflow_run_id: string;
  source_watermark: Date | null;
  rows_read: number | null;
  outcome: Outcome | null;
  verdict: Verdict | null;
  reasons: string[];
  summary: RunSummary | null;
  manifest: ArtifactRef | null;
  history: ArtifactRef | null;
  opened_at: Date;
  held_at: Date | null;
  closed_at: Date | null;
}

export function recordOf(row: RunRow): RunRecord {
  return {
    runId: row.run_id,
    sequence: row.sequence,
    kind: row.kind,
    pipeline: row.pipeline,
    asOf: row.as_of,
    version: row.version,
    seed: row.seed,
    definition: row.definition,
    input: row.input,
    workflow: { id: row.workflow_id, runId: row.workflow_run_id },
    watermark: row.source_watermark?.toISOString() ?? null,
    rowsRead: row.rows_read,
    outcome: row.outcome,
    verdict: row.verdict,
    reasons: row.reasons,
    summary: row.summary,
    manifest: row.manifest,
    history: row.history,
    openedAt: row.opened_at.toISOString(),
    heldAt: row.held_at?.toISOString() ?? null,
    closedAt: row.closed_at?.toISOString() ?? null,
  };
}
