import { takes } from '../pipelines/contracts/channels.ts';
import type { Stages } from '../pipelines/contracts/stages.ts';
import { publishedMessage } from '../pipelines/stages/publish.ts';
import { publishedAlerts } from './alerts.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { runStage } from './stage.ts';

/** One pointer moves, in one transaction with the messages that tell of it. */
export function createPublishActivities(context: ActivityContext): Pick<Stages, 'publishRun'> {
  const { artifacts, repositories } = context;
  return {
    async publishRun({ run, match, naming, review, verdict = null }) {
      const inputs = [match.identities, naming.names, match.base?.publicationId ?? null, review];
      return runStage(context, { stage: 'publish', run, inputs }, async () => {
        const definition = await frozenDefinition(artifacts, run);
        const message = publishedMessage({ run, segments: naming.segments, retired: match.retired });
        const { publicationId, replaced } = await repositories.publications.publish({
          pipeline: run.pipeline,
          runId: run.runId,
          expectedBase: match.base?.publicationId ?? null,
          review,
          messages: definition.notify.flatMap((channel, i) =>
            takes(channel, 'publications')
              ? [
                  {
                    event: message.event,
                    channel: `${i}:${channel.kind}`,
                    settings: channel,
                    payload: message,
                  },
                ]
              : [],
          ),
          alerts: await publishedAlerts(context, {
            ...{ run, definition, verdict },
            baseRunId: match.base?.runId ?? null,
          }),
        });
        return { publicationId, replaced };
      });
    },
  };
}
