import { setImmediate } from 'node:timers/promises';
import type { Stages } from '../pipelines/contracts/stages.ts';
import { summariseSegments } from '../pipelines/stages/describe.ts';
import { namingFormat } from '../pipelines/stages/figures.ts';
import type { Identities } from '../pipelines/stages/identity.ts';
import { nameSegments, type PreviousName, type SegmentName } from '../pipelines/stages/name.ts';
import { createResample } from '../pipelines/stages/name-bootstrap.ts';
import type { Condition } from '../pipelines/stages/name-evidence.ts';
import { type Profiles, profileSegmentsInTurns } from '../pipelines/stages/segment-profile.ts';
import { decodeJson, encodeJson } from '../store/artifacts/json.ts';
import type { Publication } from '../store/postgres/publications.ts';
import { membersOf, readLabels, readValues } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { baseOf } from './publication-base.ts';
import { runStage } from './stage.ts';

/** What the names artifact holds: every name with its evidence, and the figures they rest on. */
export interface NamesFile {
  names: SegmentName[];
  profiles: Profiles;
}

/** Figures of each segment -> names backed by them, descriptions, guards; names in force stay. */
export function createNameActivities(context: ActivityContext): Pick<Stages, 'nameSegments'> {
  const { artifacts } = context;
  return {
    async nameSegments({ run, features, clustering, match }) {
      const base = await baseOf(context, run);
      const previousNames = namesInForce(base);
      const members = membersOf(clustering, match);
      const inputs = [features.values, members, match.identities, JSON.stringify(previousNames)];
      return runStage(context, { stage: 'name', run, inputs }, async ({ signal }) => {
        const definition = await frozenDefinition(artifacts, run);
        const { naming } = definition;
        const columns = await readValues(artifacts, features.values);
        const { labels } = await readLabels(artifacts, members);
        const identities = decodeJson(await artifacts.read(match.identities)) as Identities;
        const profiled = { columns, labels, k: clustering.k, spend: naming.spend };
        const profiles = await profileSegmentsInTurns(profiled, () => signal.throwIfAborted());
        // Heartbeats go out before the next seconds of work.
        await setImmediate();
        const resample = createResample({ columns, labels, profiles });
        const names = nameSegments({ naming, profiles, resample, segments: match.segments, previousNames });
        const segments = summariseSegments(names, {
          profiles,
          naming,
          format: namingFormat(definition),
          identities: identities.segments,
        });
        const file: NamesFile = { names, profiles };
        const kept = await artifacts.write('names', encodeJson(file), {
          runId: run.runId,
          ending: 'json',
          rows: names.length,
        });
        return { segments, names: kept };
      });
    },
  };
}

function namesInForce(base: Publication | null): Record<string, PreviousName> {
  const segments = base?.segments ?? [];
  return Object.fromEntries(
    segments.map(({ segmentId, name, author, condition, nameStatus, isNameInForce }) => [
      segmentId,
      { name, author, condition: condition as Condition, status: nameStatus, isInForce: isNameInForce },
    ]),
  );
}
