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

/** Features of one part's customers, the words of each category, and the features that had no value for some of them. */
export interface PartOfFeatures extends FeatureColumns {
  customers: CustomerIds;
  words: Record<string, CustomerIds>;
}

/**
 * The parts one after the other, with a turn after each column: a part has to be in memory only while it is added.
 *
 * @param rows customers of all parts
 * @returns `add` takes the parts in their order; `finish` gives what they are together
 * @throws PipelineError ARTIFACT_CORRUPT when parts have not the same columns, or not so many customers
 */
export function featureJoiner(rows: number): {
  add(part: PartOfFeatures): Generator<void, void>;
  finish(): PartOfFeatures;
} {
  const columns: Columns = {};
  const customers = textJoiner(rows);
  const words: Record<string, ReturnType<typeof textJoiner>> = {};
  const replaced: FeatureColumns['replaced'][] = [];
  let at = 0;
  let names: string | undefined;
  return {
    *add(part) {
      const found = [...Object.keys(part.columns), ...Object.keys(part.words)].join();
      names ??= found;
      const end = at + part.customers.offsets.length - 1;
      if (found !== names || end > rows) throw unfit(`columns ${names} of ${rows} customers`);
      customers.add(part.customers);
      yield;
      for (const [name, values] of Object.entries(part.columns)) {
        columns[name] ??= new Float64Array(rows);
        columns[name].set(values, at);
        yield;
      }
      for (const [name, texts] of Object.entries(part.words)) {
        words[name] ??= textJoiner(rows);
        words[name].add(texts);
        yield;
      }
      replaced.push(part.replaced);
      at = end;
    },
    finish() {
      if (at !== rows) throw unfit(`${rows} customers in all, found ${at}`);
      return {
        customers: customers.finish(),
        columns,
        words: Object.fromEntries(Object.entries(words).map(([name, texts]) => [name, texts.finish()])),
        replaced: joinReplaced(replaced, Object.keys(columns)),
      };
    },
  };
}

function unfit(needed: string): PipelineError {
  return new PipelineError('ARTIFACT_CORRUPT', `parts of features need ${needed}`);
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

type Joinable = Float32Array | Uint8Array;

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

/** Texts of parts, in their order; `rows` of all. */
export function textJoiner(rows: number): { add(texts: CustomerIds): void; finish(): CustomerIds } {
  const offsets = new Uint32Array(rows + 1);
  const bytes: Uint8Array[] = [];
  let row = 0;
  let start = 0;
  return {
    add(texts) {
      for (let i = 1; i < texts.offsets.length; i++) offsets[row + i] = start + texts.offsets[i]!;
      row += texts.offsets.length - 1;
      start += texts.bytes.length;
      // A copy: a view would keep the whole part in memory.
      bytes.push(texts.bytes.slice());
    },
    finish: () => ({ offsets, bytes: joinArrays(bytes, Uint8Array) }),
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
