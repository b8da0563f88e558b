import type { Stages } from '../pipelines/contracts/stages.ts';
import { quietUntil } from '../pipelines/stages/alerts/quiet-hours.ts';
import { publicationMessages, publishedMessage } from '../pipelines/stages/publish.ts';
import { publishedAlerts } from './alerts.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { asideOf } from './publication-base.ts';
import { runStage } from './stage.ts';

/** One pointer moves, in one transaction with the messages that tell of it. */
export function createPublishActivities(context: ActivityContext): Pick<Stages, 'publishRun'> {
  const { artifacts, repositories } = context;
  return {
    async publishRun({ run, match, naming, review, verdict = null }) {
      const inputs = [match.identities, naming.names, match.base?.publicationId ?? null, review];
      return runStage(context, { stage: 'publish', run, inputs }, async () => {
        const definition = await frozenDefinition(artifacts, run);
        const seen = await asideOf(context, run);
        const isAside = seen !== null;
        const { publicationId, replaced } = await repositories.publications.publish({
          pipeline: run.pipeline,
          runId: run.runId,
          expectedBase: match.base?.publicationId ?? null,
          review: isAside ? `${review ?? 'kept aside'}; readers went on seeing ${seen}` : review,
          isAside,
          messages: (names) => {
            // Whoever hears of a publication takes it for the present state.
            if (isAside) return [];
            // A person may have renamed since this run was named: others are told what readers see.
            const segments = naming.segments.map((segment) => ({
              ...segment,
              name: names.get(segment.segmentId) ?? segment.name,
            }));
            const message = publishedMessage({ run, segments, retired: match.retired });
            const { notify, alerts, source } = definition;
            return publicationMessages(message, {
              notify,
              quietUntil: quietUntil(new Date().toISOString(), alerts?.quietHours, source.timezone),
            });
          },
          // An older run says nothing of the present.
          ...(!isAside && {
            alerts: await publishedAlerts(context, {
              ...{ run, definition, verdict },
              baseRunId: match.base?.runId ?? null,
            }),
          }),
        });
        return { publicationId, replaced };
      });
    },
  };
}
