import { proxyActivities } from '@temporalio/workflow';
import { COMPUTE } from '../pipelines/contracts/policies.ts';
import type { RunSummary, StartInput } from '../pipelines/contracts/run.ts';
import type { Stages } from '../pipelines/contracts/stages.ts';
import { makeFeatures } from './in-parts.ts';
import { publishSegments } from './publish-segments.ts';
import { frameRun, type RunWork } from './run-frame.ts';
import { readExtract, refused, stepper, warn } from './run-steps.ts';
import { says, summaries } from './summaries.ts';

const compute = proxyActivities<Stages>(COMPUTE);

/**
 * One refit run, from extract to publication. Readers see nothing of it before it is published, and
 * nothing at all when it is rejected, fails or is cancelled.
 *
 * @param input nothing, or one JSON object with any of the fields of StartInput
 * @returns the run summary; outcomes are `published` or `rejected` (a broken run fails, a cancelled one ends cancelled)
 */
export async function segmentCustomers(input?: StartInput): Promise<RunSummary> {
  return frameRun('refit', input, refit);
}

const refit: RunWork = async (opened, known, told) => {
  const { board } = told;
  const step = stepper(known, told);
  const read = await readExtract(opened.run, { known, board, step });
  if ('outcome' in read) return read;
  const { run, extract, validation } = read;
  const parted = { scale: opened.scale, board };

  await step('profile', summaries.profile(extract), says.profile, (options) =>
    compute.profileExtract.executeWithOptions(options, [{ run, extract }]),
  );
  const { made: _, ...features } = await step(
    'features',
    summaries.features(validation),
    says.features,
    (options) => makeFeatures(options, { run, extract, validation }, parted),
  );
  warn(known, features.warnings);
  const clustering = await step('cluster', summaries.cluster(features, opened.k), says.cluster, (options) =>
    compute.fitClusters.executeWithOptions(options, [{ run, features }]),
  );
  if (clustering.verdict === 'none') return refused(known, board, clustering.reasons);
  known.quality = clustering.quality;
  known.k = clustering.k;
  board.segmented(clustering.k);

  const match = await step('match', summaries.match(clustering), says.match, (options) =>
    compute.matchIdentities.executeWithOptions(options, [{ run, features, clustering }]),
  );
  const segmented = { run, extract, validation, features, clustering, match, reviewWithin: opened.review };
  return publishSegments(segmented, { known, step, told, parted });
};
