// PostgreSQL's binary COPY format: a signature, then per row the number of fields and per field its length
// and bytes, big-endian; -1 as the number of fields ends it. Source: "COPY", section "Binary Format", of the
// PostgreSQL manual. Written by hand into one buffer per chunk: a million rows as objects would cost seconds.

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TRAILER = Buffer.from([0xff, 0xff]);
const FIELD_COUNT = 5;
const REAL_BYTES = 4;

/** Memberships of a run, row i = customer i of the run's artifacts. */
export interface MembershipRows {
  /** Ids as UTF-8: customer i is `bytes[offsets[i]..offsets[i + 1]]`, so there are n + 1 offsets. */
  customers: { offsets: Uint32Array; bytes: Uint8Array };
  /** Index into `segmentIds`, shape (n,). */
  labels: Uint8Array;
  segmentIds: readonly string[];
  /** To the own centre, shape (n,). */
  distance: Float32Array;
  /** Shape (n,). */
  margin: Float32Array;
}

/**
 * The rows (run_id, customer_id, segment_id, distance, margin) as pieces of one COPY.
 *
 * @throws RangeError when the columns differ in length, or a label has no segment
 *
 * O(bytes) time, one chunk of memory at a time.
 */
export function* encodeMemberships(
  runId: string,
  rows: MembershipRows,
  chunkRows: number,
): Generator<Buffer> {
  const count = checkedCount(rows);
  yield SIGNATURE;
  const template = {
    rowStart: Buffer.concat([int16(FIELD_COUNT), field(runId)]),
    segments: rows.segmentIds.map(field),
  };
  for (let from = 0; from < count; from += chunkRows) {
    yield encodeChunk(rows, template, { from, to: Math.min(from + chunkRows, count) });
  }
  yield TRAILER;
}

/** @throws RangeError as `encodeMemberships` */
export function checkedCount({ customers, labels, segmentIds, distance, margin }: MembershipRows): number {
  const count = labels.length;
  const lengths = [customers.offsets.length - 1, distance.length, margin.length];
  if (lengths.some((length) => length !== count)) {
    throw new RangeError(
      `memberships need columns of one length, found ${count} labels and ${lengths.join(', ')} ids, distances, margins`,
    );
  }
  let highest = -1;
  for (let i = 0; i < count; i++) if (labels[i]! > highest) highest = labels[i]!;
  if (highest >= segmentIds.length) {
    throw new RangeError(
      `memberships need a segment for label ${highest}, found ${segmentIds.length} segments`,
    );
  }
  return count;
}

function encodeChunk(
  { customers: { offsets, bytes }, labels, distance, margin }: MembershipRows,
  { rowStart, segments }: { rowStart: Buffer; segments: readonly Buffer[] },
  { from, to }: { from: number; to: number },
): Buffer {
  const longestSegment = segments.reduce((longest, segment) => Math.max(longest, segment.length), 0);
  const fixedBytes = rowStart.length + 4 + longestSegment + 2 * (4 + REAL_BYTES);
  const chunk = Buffer.allocUnsafeSlow((to - from) * fixedBytes + offsets[to]! - offsets[from]!);
  const view = new DataView(chunk.buffer);
  let at = 0;
  for (let i = from; i < to; i++) {
    chunk.set(rowStart, at);
    at += rowStart.length;
    const idEnd = offsets[i + 1]!;
    view.setInt32(at, idEnd - offsets[i]!);
    at += 4;
    // Ids are short: a loop beats a call of `set` for each.
    for (let b = offsets[i]!; b < idEnd; b++) chunk[at++] = bytes[b]!;
    const segment = segments[labels[i]!]!;
    chunk.set(segment, at);
    at += segment.length;
    view.setInt32(at, REAL_BYTES);
    view.setFloat32(at + 4, distance[i]!);
    view.setInt32(at + 8, REAL_BYTES);
    view.setFloat32(at + 12, margin[i]!);
    at += 16;
  }
  return chunk.subarray(0, at);
}

function field(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
