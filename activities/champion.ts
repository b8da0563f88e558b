import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Champion } from '../pipelines/contracts/run.ts';
import type { AssignStages } from '../pipelines/contracts/stages.ts';
import { championDefinition } from '../pipelines/stages/champion-definition.ts';
import { decideRefit } from '../pipelines/stages/refit-policy.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { type ActivityContext, sourceDefinition } from './context.ts';

/** The published model becomes a run's; and after the run, whether it has served its time. */
export function createChampionActivities(
  context: ActivityContext,
): Pick<AssignStages, 'adoptChampion' | 'decideRefit'> {
  const { artifacts, repositories } = context;
  return {
    async adoptChampion({ run }) {
      const { champion, definition: fitted } = await championOf(context, run.pipeline);
      const { definition, warnings } = championDefinition({
        champion: fitted,
        present: await sourceDefinition(artifacts, run),
        fittedIn: champion.runId,
      });
      const about = { runId: run.runId, ending: 'json', rows: 1 };
      const frozen = await artifacts.write('definition', encodeJson(definition), about);
      await repositories.runs.adoptDefinition(run.runId, frozen);
      return { run: { ...run, definition: frozen, champion }, warnings };
    },

    async decideRefit({ run, verdict, novelShare }) {
      const { refit: settings } = await sourceDefinition(artifacts, run);
      const { runId, asOf: fittedAsOf } = run.champion!;
      const asOf = run.asOf!;
      const refits = await repositories.runs.refitsAround({ pipeline: run.pipeline, fittedIn: runId, asOf });
      return decideRefit({ settings, asOf, fittedAsOf, verdict, novelShare, refits });
    },
  };
}

async function championOf(
  { artifacts, repositories }: ActivityContext,
  pipeline: string,
): Promise<{ champion: Champion; definition: Definition }> {
  const published = await repositories.publications.current(pipeline);
  if (published === null) {
    throw new PipelineError(
      'CHAMPION_MISSING',
      `assigning needs a published model of ${pipeline}, found none; fit one first: npm start -- --pipeline ${pipeline}`,
    );
  }
  const { fittedIn } = published;
  const fit = await repositories.runs.get(fittedIn);
  const labels = await labelsOfFit(repositories, published);
  return {
    champion: { runId: fittedIn, asOf: fit.asOf!, model: published.artifacts.model, labels },
    definition: await sourceDefinition(artifacts, fit),
  };
}

async function labelsOfFit(
  { segmentations }: ActivityContext['repositories'],
  { runId, fittedIn, artifacts }: Publication,
): Promise<ArtifactRef> {
  return runId === fittedIn ? artifacts.labels : (await segmentations.artifactsOf(fittedIn))!.labels;
}
