import type { Run, Stage } from '../pipelines/contracts/run.ts';
import type {
  Clustering,
  Delivery,
  Extract,
  Features,
  Match,
  Naming,
  NoClustering,
  Persisted,
  Profile,
  Publication,
  Stability,
  Validation,
} from '../pipelines/contracts/stages.ts';

/** One line beside each activity in the Temporal UI, before it runs; under 200 bytes. */
export const summaries = {
  extract: (run: Run) => `freeze the extract${run.asOf ? ` as of ${run.asOf}` : ''}`,
  validate: ({ rowsRead }: Extract) => `check ${thousands(rowsRead)} rows against the contract`,
  profile: ({ rowsRead }: Extract) => `describe ${thousands(rowsRead)} rows`,
  features: ({ counts }: Validation) => `features of ${thousands(counts.customers)} customers`,
  part: (stage: Stage, number: number, of: number) => `${stage}: part ${number + 1} of ${of}`,
  cluster: ({ customers }: Features, k: { min: number; max: number }) =>
    `fit k=${k.min === k.max ? k.min : `${k.min}..${k.max}`} on ${thousands(customers.rows)} customers`,
  assign: ({ customers }: Features, { champion }: Run) =>
    `assign ${thousands(customers.rows)} customers by the model of ${champion!.runId}`,
  keep: ({ k }: Clustering) => `the ${k} segments of the model`,
  match: ({ k }: Clustering) => `match ${k} clusters with the last publication`,
  name: ({ segments }: Match) => `name ${segments.length} segments`,
  persist: ({ customers }: Features) => `write ${thousands(customers.rows)} memberships`,
  stability: ({ base }: Match) => (base ? `compare with ${base.runId}` : 'nothing published to compare with'),
  publish: ({ segments }: Naming) => `publish ${segments.length} segments`,
};

/** What a stage found, for the checklist. */
export const says = {
  extract: (found: Extract) =>
    `${thousands(found.rowsRead)} rows as of ${found.asOf}${found.rowsAfterAsOf > 0 ? `, ${thousands(found.rowsAfterAsOf)} later ones left out` : ''}${found.rowsReleased ? `, ${thousands(found.rowsReleased)} released ${found.rowsReleased === 1 ? 'row' : 'rows'} joined` : ''}`,
  validate: ({ verdict, counts }: Validation) =>
    `${verdict}: ${thousands(counts.rowsAccepted)} accepted, ${thousands(counts.rowsQuarantined)} in quarantine, ${thousands(counts.customers)} customers`,
  profile: ({ page }: Profile) =>
    `page of ${thousands(page.bytes)} bytes in the artifacts, \`${page.sha256.slice(0, 12)}…\``,
  features: ({ columns, customers, warnings = [] }: Features) =>
    [`${thousands(customers.rows)} customers × ${columns.length} features`, ...warnings].join('; '),
  cluster: (found: Clustering | NoClustering) =>
    found.verdict === 'none'
      ? 'no segmentation'
      : `k = ${found.k}, ${found.verdict}, smallest ${percent(found.quality.smallestShare)} of the customers`,
  assign: (found: Clustering | NoClustering) => {
    if (found.verdict === 'none') return 'a segment without customers';
    const { assigned } = found.quality;
    const novel = assigned?.novelShare ?? null;
    return `k = ${found.k}${novel === null ? '' : `, ${percent(novel)} unlike any segment`}`;
  },
  match: ({ base, segments, retired }: Match) =>
    base
      ? `${segments.filter((segment) => segment.event === 'survived').length} of ${segments.length} survived, ${retired.length} retired`
      : `${segments.length} born`,
  name: ({ segments }: Naming) => segments.map(({ name, share }) => `${name} ${percent(share)}`).join(', '),
  persist: ({ memberships }: Persisted) => `${thousands(memberships)} memberships`,
  stability: ({ verdict, movedShare }: Stability) =>
    movedShare === null ? verdict : `${verdict}, ${percent(movedShare)} of the customers moved`,
  publish: ({ publicationId }: Publication) => `publication ${publicationId}`,
  notify: ({ delivered, pending }: Delivery) => `${delivered} delivered, ${pending} pending`,
};

// Intl is not part of what replay may depend on: its output changes with the ICU data of the runtime.
function thousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
