import type { ArtifactRef } from '../contracts/artifacts.ts';
import type { CustomerIds } from '../contracts/customers.ts';
import { PipelineError } from '../contracts/errors.ts';
import type { Run } from '../contracts/run.ts';
import type { Extract } from '../contracts/stages.ts';
import type { Columns, FeatureColumns } from './features.ts';
import type { RowRange } from './features-sql.ts';
import type { FewWords } from './few-words.ts';

// Parts of a run are ranges of customers in the byte order of their ids, as all artifacts have them. So they are joined by
// putting one after the other, and what is joined is byte for byte what one worker would have made.

/** What every part of the features is told. */
export interface FeaturePlan {
  run: Run;
  extract: PartedExtract;
  /** Rows of the extract, by part; a part is read in pieces, since their hash tables stay small. */
  parts: RowRange[][];
  words: FewWords;
}

/** What features need of an extract. */
export type PartedExtract = Pick<Extract, 'artifact' | 'asOf' | 'customers'>;

/** What every part of the memberships is told. */
export interface MembershipPlan {
  /** Rows of each part, in order. */
  parts: ArtifactRef[];
  /** Segment of each label. */
  segmentIds: string[];
}

/** Pieces to cut `rows` into, so that each part has as many of at most `most` rows. */
export function piecesOf({ rows, parts, most }: { rows: number; parts: number; most: number }): number {
  return parts * Math.max(1, Math.ceil(rows / (parts * most)));
}

/**
 * Pieces to parts, neighbours together, as evenly as they are many.
 *
 * @returns at most as many parts as asked for, none without a piece
 */
export function inParts<T>(pieces: readonly T[], parts: number): T[][] {
  const count = Math.min(parts, pieces.length);
  return Array.from({ length: count }, (_, part) =>
    pieces.slice(
      Math.floor((part * pieces.length) / count),
      Math.floor(((part + 1) * pieces.length) / count),
    ),
  );
}

/** Rows of each part, as even as can be; none is empty. */
export function rowsOfParts(rows: number, parts: number): RowRange[] {
  const count = Math.min(rows, parts);
  const startOf = (part: number) => Math.floor((part * rows) / count);
  return Array.from({ length: count }, (_, part) => ({ first: startOf(part), end: startOf(part + 1) }));
}

/** Features of one part's customers, and the words of each category. */
export interface PartOfFeatures {
  customers: CustomerIds;
  columns: Columns;
  words: Record<string, CustomerIds>;
}

/**
 * The parts one after the other.
 *
 * @throws PipelineError ARTIFACT_CORRUPT when they have not the same columns
 */
export function joinFeatureParts(parts: readonly PartOfFeatures[]): PartOfFeatures {
  const namesOf = ({ columns, words }: PartOfFeatures) =>
    [...Object.keys(columns), ...Object.keys(words)].join();
  const [first] = parts;
  if (first === undefined || parts.some((part) => namesOf(part) !== namesOf(first))) {
    throw new PipelineError('ARTIFACT_CORRUPT', 'parts of features need the same columns, found others', {
      parts: parts.length,
    });
  }
  const columns = Object.keys(first.columns).map((name) => [
    name,
    joinArrays(
      parts.map((part) => part.columns[name]!),
      Float64Array,
    ),
  ]);
  const words = Object.keys(first.words).map((name) => [
    name,
    joinTexts(parts.map((part) => part.words[name]!)),
  ]);
  return {
    customers: joinTexts(parts.map(({ customers }) => customers)),
    columns: Object.fromEntries(columns),
    words: Object.fromEntries(words),
  };
}

/** Customers of all parts for whom a null rule stood in, in the order of the features. */
export function joinReplaced(
  parts: readonly FeatureColumns['replaced'][],
  features: readonly string[],
): FeatureColumns['replaced'] {
  return features.flatMap((feature) => {
    const found = parts.flatMap((replaced) => replaced.filter((one) => one.feature === feature));
    const customers = found.reduce((sum, one) => sum + one.customers, 0);
    return customers === 0 ? [] : [{ feature, customers, by: found[0]!.by }];
  });
}

type Joinable = Float64Array | Float32Array | Uint8Array;

/** O(n) time, the arrays once more in memory. */
export function joinArrays<A extends Joinable>(arrays: readonly A[], type: new (length: number) => A): A {
  const joined = new type(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  return joined;
}

export function joinTexts(texts: readonly CustomerIds[]): CustomerIds {
  const rows = texts.reduce((sum, { offsets }) => sum + offsets.length - 1, 0);
  const offsets = new Uint32Array(rows + 1);
  let row = 0;
  let start = 0;
  for (const text of texts) {
    for (let i = 1; i < text.offsets.length; i++) offsets[row + i] = start + text.offsets[i]!;
    row += text.offsets.length - 1;
    start += text.bytes.length;
  }
  return {
    offsets,
    bytes: joinArrays(
      texts.map(({ bytes }) => bytes),
      Uint8Array,
    ),
  };
}

/** Rows `first` to `end` of texts, as texts of their own. */
export function textsBetween({ offsets, bytes }: CustomerIds, first: number, end: number): CustomerIds {
  const start = offsets[first]!;
  return {
    offsets: offsets.slice(first, end + 1).map((offset) => offset - start),
    bytes: bytes.slice(start, offsets[end]!),
  };
}
