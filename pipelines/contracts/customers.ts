/**
 * Customer ids of a run, one after the other: id of row i = bytes[offsets[i], offsets[i + 1]), UTF-8.
 * Rows are in the byte order of their ids, each id once. A million ids stay two flat arrays, so that
 * nothing is decoded to text where only order and equality matter.
 */
export interface CustomerIds {
  /** Shape (n + 1,), rising from 0. */
  offsets: Uint32Array;
  bytes: Uint8Array;
}

export function customerCount(ids: CustomerIds): number {
  return Math.max(0, ids.offsets.length - 1);
}

/**
 * Order of two ids by their bytes, a prefix first: DuckDB's and PostgreSQL's order in the C locale.
 *
 * @returns below 0, 0 or above 0, as for a sort
 */
export function compareIds(left: CustomerIds, leftRow: number, right: CustomerIds, rightRow: number): number {
  const leftStart = left.offsets[leftRow]!;
  const rightStart = right.offsets[rightRow]!;
  const leftLength = left.offsets[leftRow + 1]! - leftStart;
  const rightLength = right.offsets[rightRow + 1]! - rightStart;
  const shared = Math.min(leftLength, rightLength);
  for (let i = 0; i < shared; i++) {
    const difference = left.bytes[leftStart + i]! - right.bytes[rightStart + i]!;
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}

/** One id as text: for a single customer, never in a loop over all. */
export function idAt(ids: CustomerIds, row: number): string {
  // As it is: the decoder would else take a mark of byte order from the beginning of an id.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    ids.bytes.subarray(ids.offsets[row]!, ids.offsets[row + 1]!),
  );
}

/** Ids from texts, brought into byte order; the same text twice is kept once. */
export function toCustomerIds(texts: readonly string[]): CustomerIds {
  const encoder = new TextEncoder();
  const encoded = [...new Set(texts)].map((text) => encoder.encode(text)).sort(compareBytes);
  const offsets = new Uint32Array(encoded.length + 1);
  encoded.forEach((id, row) => {
    offsets[row + 1] = offsets[row]! + id.length;
  });
  const bytes = new Uint8Array(offsets[encoded.length]!);
  encoded.forEach((id, row) => {
    bytes.set(id, offsets[row]!);
  });
  return { offsets, bytes };
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    if (left[i] !== right[i]) return left[i]! - right[i]!;
  }
  return left.length - right.length;
}
