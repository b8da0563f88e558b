import { InvalidArgumentError } from 'commander';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { SEGMENTS } from '../pipelines/contracts/input.ts';

/** What is read, by ending. */
export const FILE_KINDS = 'text (.csv, .tsv, .txt, each also .gz or .zst) or Parquet';

/** An ISO date that there is; 2026-02-30 is none. */
export function isoDate(text: string): string {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(text)) {
    throw new InvalidArgumentError('needs an ISO date such as 2026-06-30.');
  }
  return text;
}

/** A day, or a moment in UTC to the minute. */
export function isoDateOrMoment(text: string): string {
  if (!text.includes('T')) return isoDate(text);
  const time = /T\d{2}:\d{2}Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(text.slice(0, -1))) {
    throw new InvalidArgumentError(
      'needs an ISO date such as 2026-06-30, or a moment such as 2026-06-30T04:00Z.',
    );
  }
  return text;
}

/** How many segments a person may ask for, in words. */
export const SEGMENT_COUNTS = `${SEGMENTS.least} to ${SEGMENTS.most}`;

/** @throws PipelineError INPUT_INVALID */
export function segmentCount(text: string): number {
  const k = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (k >= SEGMENTS.least && k <= SEGMENTS.most) return k;
  throw new PipelineError(
    'INPUT_INVALID',
    `--k needs a whole number from ${SEGMENT_COUNTS}, found ${text.slice(0, 20)}`,
  );
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('needs a whole number.');
  return Number(text);
}
