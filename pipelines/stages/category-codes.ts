import { nextTurn } from '../../numeric/kernels/turn.ts';
import type { CustomerIds } from '../contracts/customers.ts';

/** A category of every customer as numbers, for algorithms that take them. */
export interface CategoryCodes {
  category: string;
  /** Shape (n,): place of the customer's word among `words`. */
  codes: Int32Array;
  /** The words there are, each once, sorted by UTF-16 unit. */
  words: string[];
  /** Customers of each word. */
  counts: number[];
}

/** About 20 ms of reading. */
const BLOCK_ROWS = 1 << 17;

/**
 * @param texts words one after the other, as the warehouse gives a column of text
 *
 * O(n + words log words), with pauses.
 */
export async function codeCategory(
  category: string,
  { offsets, bytes }: CustomerIds,
): Promise<CategoryCodes> {
  const rows = offsets.length - 1;
  const decoder = new TextDecoder();
  const firstCodes = new Map<string, number>();
  const counted: number[] = [];
  const codes = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const word = decoder.decode(bytes.subarray(offsets[row], offsets[row + 1]));
    const code = firstCodes.get(word) ?? firstCodes.size;
    if (code === firstCodes.size) firstCodes.set(word, code);
    counted[code] = (counted[code] ?? 0) + 1;
    codes[row] = code;
    if ((row + 1) % BLOCK_ROWS === 0) await nextTurn();
  }
  const words = [...firstCodes.keys()].sort();
  const places = new Int32Array(words.length);
  words.forEach((word, place) => {
    places[firstCodes.get(word)!] = place;
  });
  return {
    category,
    codes: codes.map((code) => places[code]!),
    words,
    counts: words.map((word) => counted[firstCodes.get(word)!]!),
  };
}

/** Columns of the artifact: `name` has the codes, `name.offsets` and `name.bytes` the words in order. */
export function categoryColumns(
  categories: readonly CategoryCodes[],
): Record<string, Int32Array | Uint32Array | Uint8Array> {
  const encoder = new TextEncoder();
  return Object.fromEntries(
    categories.flatMap(({ category, codes, words }) => {
      const texts = words.map((word) => encoder.encode(word));
      const offsets = new Uint32Array(words.length + 1);
      texts.forEach((text, i) => {
        offsets[i + 1] = offsets[i]! + text.length;
      });
      const bytes = new Uint8Array(offsets[words.length]!);
      texts.forEach((text, i) => {
        bytes.set(text, offsets[i]!);
      });
      return [
        [category, codes],
        [`${category}.offsets`, offsets],
        [`${category}.bytes`, bytes],
      ];
    }),
  );
}
