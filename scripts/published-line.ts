import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { PastPublication } from '../store/postgres/evolution.ts';
import type { Repositories } from '../store/postgres/repositories.ts';
import { findRun } from './find-run.ts';

// Which publications a person means who types run ids, dates or nothing.

/** As many as a person takes in at a glance. */
const TOLD = 6;

/** The pipeline that is named, or the one that has published where there is only one. @throws PipelineError INPUT_INVALID, PIPELINE_UNKNOWN */
export async function pipelineOf(
  repositories: Pick<Repositories, 'evolution'>,
  asked: string | undefined,
): Promise<string> {
  const published = await repositories.evolution.pipelines();
  const start = 'a first run publishes one: npm start';
  if (asked !== undefined) {
    if (published.includes(asked)) return asked;
    const there = published.length === 0 ? start : `there are publications of ${published.join(', ')}`;
    throw new PipelineError('INPUT_INVALID', `pipeline ${asked} has published nothing; ${there}`);
  }
  if (published.length === 1) return published[0]!;
  throw new PipelineError(
    'INPUT_INVALID',
    published.length === 0
      ? `nothing is published yet; ${start}`
      : `a pipeline has to be named, there are publications of ${published.join(', ')}`,
  );
}

/** A run that is meant by its id, its as-of date (the last publication of it) or `latest`. @throws PipelineError INPUT_INVALID, RUN_UNKNOWN */
export function publicationOf(line: readonly PastPublication[], asked: string): PastPublication {
  if (asked === LATEST) return line.at(-1)!;
  const found = line.findLast(({ runId, asOf }) => runId === asked || asOf === asked);
  if (found) return found;
  const { pipeline } = line[0]!;
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(asked);
  throw new PipelineError(
    isDate ? 'INPUT_INVALID' : 'RUN_UNKNOWN',
    isDate
      ? `no run of ${pipeline} as of ${asked} is published; there are ${nearest(line, asked)}`
      : `no published run ${asked} of ${pipeline}; name a run that is published, or its as-of date: ${nearest(line, line.at(-1)!.asOf)}`,
  );
}

export const LATEST = 'latest';

function nearest(line: readonly PastPublication[], asOf: string): string {
  const days = (date: string) => Date.parse(date) / 86_400_000;
  const dates = [...new Set(line.map((publication) => publication.asOf))];
  const near = dates.toSorted((left, right) => apart(left) - apart(right)).slice(0, TOLD);
  function apart(date: string): number {
    return Math.abs(days(date) - days(asOf));
  }
  const more = dates.length > near.length ? ` and ${dates.length - near.length} more` : '';
  return `${near.sort().join(', ')}${more}`;
}

/** The whole id of a run that was typed by its beginning; a date and `latest` are what they are. @throws PipelineError RUN_UNKNOWN, INPUT_INVALID */
export async function wholeId(repositories: Pick<Repositories, 'runs'>, asked: string): Promise<string> {
  if (asked === LATEST || /^\d{4}-\d{2}-\d{2}$/.test(asked)) return asked;
  return (await findRun(repositories, { run: asked })).runId;
}

/**
 * The pipeline that a run id belongs to; null for a date, which any may have.
 *
 * @throws PipelineError RUN_UNKNOWN, INPUT_INVALID for a run that readers never saw
 */
export async function pipelineOfRun(
  repositories: Pick<Repositories, 'runs' | 'publications'>,
  asked: string,
): Promise<string | null> {
  if (asked === LATEST || /^\d{4}-\d{2}-\d{2}$/.test(asked)) return null;
  const { pipeline, outcome } = await repositories.runs.get(asked);
  if ((await repositories.publications.ofRun(asked)) !== null) return pipeline;
  throw new PipelineError(
    'INPUT_INVALID',
    `run ${asked} of ${pipeline} is ${outcome ?? 'still running'}; only runs that were published can be compared`,
    { runId: asked },
  );
}

/** The publications as of these dates and between them; all without dates. @throws PipelineError INPUT_INVALID when fewer than 2 are left */
export function publicationsBetween(
  line: readonly PastPublication[],
  { from, to }: { from?: string; to?: string },
): PastPublication[] {
  const found = line.filter(
    ({ asOf }) => (from === undefined || asOf >= from) && (to === undefined || asOf <= to),
  );
  if (found.length >= 2) return found;
  const { pipeline } = line[0]!;
  const wanted =
    from === undefined && to === undefined ? '' : ` from ${from ?? 'the first'} to ${to ?? 'the last'}`;
  throw new PipelineError(
    'INPUT_INVALID',
    `an evolution needs two publications, ${pipeline} has ${found.length}${wanted}; ${line.length < 2 ? 'run it again as of a later date: npm start -- --as-of DATE' : `there are ${nearest(line, from ?? to ?? line.at(-1)!.asOf)}`}`,
  );
}
