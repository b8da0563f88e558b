import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { columnOf } from '../../pipelines/init/facts.ts';
import { inspectFiles } from '../../store/warehouse/sources.ts';
import type { Looking } from './inspect.ts';
import { type LookedAt, lookAtTable } from './look.ts';

// Files of the same columns are one table, whose numbers and times are read in one way. Where they are not written
// in one, a column is neither numbers nor words, and nothing tells which file it is.

/** @returns a fault that names each file that is written otherwise than the first; null: they are written alike */
export async function writtenOtherwise(looking: Looking, { paths }: LookedAt): Promise<PipelineError | null> {
  const files = [];
  for (const [i, path] of paths.entries())
    files.push({
      ...(await lookAtTable(looking, [path], `alone-${i}`)),
      delimiter: await delimiterOf(path),
    });
  const [first, ...others] = files;
  const faults = others.flatMap((file) => {
    const ways = file.facts.columns.flatMap(({ name }) => otherWays(name, file, first!));
    if (ways.length === 0) return [];
    const fields = file.delimiter === first!.delimiter ? [] : [`fields end with ${said(file, first!)}`];
    return [
      `${file.names[0]} is written otherwise than ${first!.names[0]}: ${[...fields, ...ways].join(', ')}`,
    ];
  });
  if (faults.length === 0) return null;
  return new PipelineError(
    'INPUT_INVALID',
    `init needs the files of one table written alike, but ${faults.join('; ')}. Export them alike, or draft a pipeline of each`,
  );
}

async function delimiterOf(path: string): Promise<string | undefined> {
  const { files } = await inspectFiles([path]);
  return files[0]?.dialect?.delimiter;
}

function said(file: { delimiter?: string | undefined }, first: { delimiter?: string | undefined }): string {
  const words = ({ delimiter }: typeof file) => (delimiter === '\t' ? 'a tab' : (delimiter ?? 'nothing'));
  return `${words(file)} in place of ${words(first)}`;
}

function otherWays(name: string, file: LookedAt, first: LookedAt): string[] {
  const [is, was] = [columnOf(file.facts, name), columnOf(first.facts, name)];
  if (is?.number && was?.number) {
    const isTold = is.number.wholeShare < 1 && was.number.wholeShare < 1;
    if (isTold && is.number.decimal !== was.number.decimal)
      return [`${name} has a decimal ${MARKS[is.number.decimal]} in place of a ${MARKS[was.number.decimal]}`];
  }
  if (is?.time && was?.time) {
    const [now, then] = [is.time.formats[0], was.time.formats[0]];
    if (now !== then) return [`${name} is written as ${now ?? ISO} in place of ${then ?? ISO}`];
  }
  return [];
}

const MARKS = { '.': 'point', ',': 'comma' } as const;
const ISO = 'ISO 8601';
