// PostgreSQL's binary COPY format: a signature, then per row the number of fields and per field its length
// and bytes, big-endian; -1 as the number of fields ends it. Source: "COPY", section "Binary Format", of the
// PostgreSQL manual. Written by hand into one buffer per chunk: a million rows as objects would cost seconds.

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TRAILER = Buffer.from([0xff, 0xff]);
/** In place of the length of a field that is null. */
const NULL_FIELD = Buffer.from([0xff, 0xff, 0xff, 0xff]);
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
  /** Why each is in another segment than before, as an index of `words`, shape (n,); null = in no other. */
  moveCauses?: { codes: Uint8Array; words: readonly (string | null)[] } | null;
}

/** What the rows of a COPY hold, in this order. */
export function columnsOf({ moveCauses }: Pick<MembershipRows, 'moveCauses'>): string[] {
  return [
    ...['run_id', 'customer_id', 'segment_id', 'distance', 'margin'],
    ...(moveCauses ? ['move_cause'] : []),
  ];
}

/**
 * The rows as pieces of one COPY of {@link columnsOf}.
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
    rowStart: Buffer.concat([int16(columnsOf(rows).length), field(runId)]),
    segments: rows.segmentIds.map(field),
    causes: rows.moveCauses?.words.map((word) => (word === null ? NULL_FIELD : field(word))) ?? [],
  };
  for (let from = 0; from < count; from += chunkRows) {
    yield encodeChunk(rows, template, { from, to: Math.min(from + chunkRows, count) });
  }
  yield TRAILER;
}

/** @throws RangeError as `encodeMemberships` */
export function checkedCount(rows: MembershipRows): number {
  const { customers, labels, segmentIds, distance, margin, moveCauses } = rows;
  const count = labels.length;
  const lengths = [customers.offsets.length - 1, distance.length, margin.length];
  if ([...lengths, moveCauses?.codes.length ?? count].some((length) => length !== count)) {
    throw new RangeError(
      `memberships need columns of one length, found ${count} labels and ${lengths.join(', ')} ids, distances, margins`,
    );
  }
  const highest = highestOf(labels);
  if (highest >= segmentIds.length) {
    throw new RangeError(
      `memberships need a segment for label ${highest}, found ${segmentIds.length} segments`,
    );
  }
  if (moveCauses && highestOf(moveCauses.codes) >= moveCauses.words.length) {
    throw new RangeError(`memberships need a word for each cause, found ${moveCauses.words.length} words`);
  }
  return count;
}

function highestOf(codes: Uint8Array): number {
  let highest = -1;
  for (let i = 0; i < codes.length; i++) if (codes[i]! > highest) highest = codes[i]!;
  return highest;
}

function encodeChunk(
  { customers: { offsets, bytes }, labels, distance, margin, moveCauses }: MembershipRows,
  {
    rowStart,
    segments,
    causes,
  }: { rowStart: Buffer; segments: readonly Buffer[]; causes: readonly Buffer[] },
  { from, to }: { from: number; to: number },
): Buffer {
  const fixedBytes = rowStart.length + 4 + longestOf(segments) + 2 * (4 + REAL_BYTES) + longestOf(causes);
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
    if (!moveCauses) continue;
    const cause = causes[moveCauses.codes[i]!]!;
    chunk.set(cause, at);
    at += cause.length;
  }
  return chunk.subarray(0, at);
}

function longestOf(fields: readonly Buffer[]): number {
  return fields.reduce((longest, { length }) => Math.max(longest, length), 0);
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
