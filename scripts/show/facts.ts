import type { RunSummary, StartInput } from '../../pipelines/contracts/run.ts';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import type { ReviewSettings } from '../../pipelines/contracts/stages.ts';
import type { RunRecord } from '../../store/postgres/run-records.ts';
import type { StageRecord } from '../../store/postgres/stages.ts';
import type { Usual } from './estimate.ts';
import type { Execution } from './execution.ts';

/** All that is known of a run, from PostgreSQL, from Temporal, from the run itself; each of them may be missing. */
export interface RunFacts {
  runId: string | null;
  workflow: { id: string; runId: string };
  record: RunRecord | null;
  stages: StageRecord[];
  usual: Usual;
  /** As the run's own definition has it. */
  review: ReviewSettings | null;
  execution: Execution | null;
  /** `forgotten`: it does not know the run (any more); `away`: it could not be asked. */
  temporal: 'answers' | 'forgotten' | 'away';
  /** What the run says of itself; null where no worker is there to answer, and of a run of long ago. */
  progress: RunProgress | null;
  /** What the workflow returned, where PostgreSQL does not have it. */
  result: RunSummary | null;
  /** Why the workflow failed, where PostgreSQL does not have that either. */
  failure: string | null;
  /** The run that goes before this one. */
  earlier: { runId: string; workflow: { id: string } } | null;
  input: StartInput | null;
  /** What could not be looked at, and the way out. */
  notes: string[];
}
