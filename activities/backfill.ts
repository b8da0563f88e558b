import { type BackfillStages, parseBackfillInput } from '../pipelines/contracts/backfill.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { DEFAULT_PIPELINE } from '../pipelines/contracts/same-start.ts';
import { dateIn } from '../pipelines/contracts/shop-date.ts';
import { asOfDates, dayAfter, refuseOlder } from '../pipelines/stages/backfill.ts';
import { digestOf } from '../store/artifacts/json.ts';
import { loadDefinition } from '../store/definitions.ts';
import type { ActivityContext } from './context.ts';

/** Which as-of dates a backfill runs over, by what was asked, what is published and what was done before. */
export function createBackfillActivities(context: ActivityContext): BackfillStages {
  const { repositories, definitionFolders } = context;
  return {
    async planBackfill({ input: sent, startedAt }) {
      const input = parseBackfillInput(sent);
      const { pipeline = DEFAULT_PIPELINE, from, to, every, extract, seed, k, review, stopOn, again } = input;
      const { definition } = await loadDefinition(definitionFolders, pipeline);
      const publishedAsOf = await repositories.publications.asOfCurrent(pipeline);
      const until = to ?? (await lastKnownDate(context, { pipeline, definition, startedAt, extract }));
      const dates = asOfDates({ from, to, every, publishedAsOf, lastKnown: until });
      const question = {
        ...{ pipeline, dates },
        definitionSha256: digestOf(definition),
        seed: seed ?? definition.seed,
        k: k ?? null,
        extract: extract ?? null,
      };
      const done = again ? [] : await repositories.backfills.done(question);
      const beforePublished = definition.review.beforePublished === 'aside' ? 'aside' : 'refuse';
      refuseOlder({ pipeline, dates, done }, { publishedAsOf, beforePublished });
      const nothing = `nothing to do up to ${until}: readers see ${publishedAsOf} already; name the dates with from and to`;
      return {
        ...{ pipeline, every, dates, done, stopOn },
        given: {
          ...{ review, beforePublished },
          ...(extract !== undefined && { extract }),
          ...(seed !== undefined && { seed }),
          ...(k !== undefined && { k }),
        },
        reasons: dates.length === 0 ? [nothing] : [],
      };
    },
  };
}

/** The day after the last one that the data is known to tell of, else today by the shop's clock. */
async function lastKnownDate(
  { repositories }: ActivityContext,
  known: { pipeline: string; definition: Definition; startedAt: string; extract: string | undefined },
): Promise<string> {
  const { pipeline, startedAt, extract } = known;
  const { source } = known.definition;
  if (source.kind === 'generated' && extract === undefined) return dayAfter(source.until);
  const newest = await repositories.backfills.newestDay(pipeline, extract ?? null);
  if (newest !== null) return dayAfter(newest);
  if (extract === undefined) return dateIn(startedAt, source.timezone);
  // A file may be of years ago: up to today, each later run would see the customers grow older and no one buy.
  throw new PipelineError(
    'INPUT_INVALID',
    `a backfill of an extract that no run of ${pipeline} has read needs its last as-of date: name to, the day after the newest row`,
    { pipeline },
  );
}
