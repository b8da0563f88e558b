export { assignCustomers } from './assign-customers.ts';
export { backfillRuns } from './backfill-runs.ts';
export { compareAlgorithms } from './compare-algorithms.ts';
export { deliverMessages } from './deliver-messages.ts';
export { pipelineInbox } from './pipeline-inbox.ts';
export { preserveHistory } from './preserve-history.ts';
export { reproduceRun } from './reproduce-run.ts';
export { segmentCustomers } from './segment-customers.ts';
