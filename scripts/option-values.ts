import { InvalidArgumentError } from 'commander';

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
