import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { SourceFormat } from '../../pipelines/contracts/source.ts';

// Any text file as UTF-8 without a byte order mark, in pieces, so that memory does not depend on its size.
// Zstandard is read in JavaScript: Node has it since 22.15 only, and DuckDB takes a file that was cut off
// for a shorter one.

export type Encoding = NonNullable<SourceFormat['encoding']>;
export type Compression = 'gzip' | 'zstd' | null;

export interface TextFile {
  path: string;
  /** For messages. */
  name: string;
  compression: Compression;
}

const PIECE_BYTES = 1_048_576;
/** Small, since what comes out of one piece is out of our hands and may be a thousand times as much. */
const ZSTD_PIECE_BYTES = 16_384;

/** The bytes of the file, unpacked. */
export async function* unpackedBytes(file: TextFile, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const highWaterMark = file.compression === 'zstd' ? ZSTD_PIECE_BYTES : PIECE_BYTES;
  const packed = createReadStream(file.path, { highWaterMark });
  try {
    if (file.compression === 'zstd') yield* unpackZstd(packed, file, signal);
    else if (file.compression === 'gzip') yield* unpackGzip(packed, file, signal);
    else yield* pieces(packed, signal);
  } finally {
    packed.destroy();
  }
}

/** The text of the file in UTF-8. */
export async function* utf8Pieces(
  file: TextFile,
  encoding: Encoding,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const decoder = encoding === 'utf-8' ? utf8Decoder() : decoderOf(encoding, file.name);
  for await (const bytes of unpackedBytes(file, signal)) {
    const piece = decoder.push(bytes);
    if (piece.length > 0) yield piece;
  }
  const last = decoder.finish();
  if (last.length > 0) yield last;
}

/** What a byte order mark says. */
export function markedEncoding(head: Buffer): Encoding | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8';
  return undefined;
}

async function* pieces(stream: AsyncIterable<Buffer>, signal?: AbortSignal): AsyncGenerator<Buffer> {
  for await (const piece of stream) {
    signal?.throwIfAborted();
    yield piece;
  }
}

async function* unpackGzip(
  packed: NodeJS.ReadableStream & AsyncIterable<string | Buffer>,
  file: TextFile,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  packed.on('error', (error) => gunzip.destroy(error));
  packed.pipe(gunzip);
  try {
    yield* pieces(gunzip, signal);
  } catch (error) {
    if (String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw damaged(file);
    throw error;
  } finally {
    gunzip.destroy();
  }
}

async function* unpackZstd(
  packed: AsyncIterable<Buffer>,
  file: TextFile,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let unpacked: Buffer[] = [];
  const decompress = new Decompress((bytes) => unpacked.push(Buffer.from(bytes)));
  const push = (bytes: Uint8Array, isLast: boolean) => {
    try {
      decompress.push(bytes, isLast);
    } catch {
      throw damaged(file);
    }
    const whole = Buffer.concat(unpacked);
    unpacked = [];
    return whole;
  };
  let held: Buffer | undefined;
  for await (const bytes of pieces(packed, signal)) {
    const piece = held === undefined ? Buffer.alloc(0) : push(held, false);
    held = Buffer.from(bytes);
    if (piece.length > 0) yield piece;
  }
  // Whether a frame is complete is only known with the last piece.
  const last = push(held ?? Buffer.alloc(0), true);
  if (last.length > 0) yield last;
}

function damaged({ name, compression }: TextFile): PipelineError {
  return new PipelineError(
    'EXTRACT_UNREADABLE',
    `extract ${name} is a ${compression} file that is damaged or was cut off; copy it again`,
    { file: name },
  );
}

interface Decoder {
  push(bytes: Buffer): Buffer;
  finish(): Buffer;
}

function utf8Decoder(): Decoder {
  let isFirst = true;
  return {
    push(bytes) {
      const hasMark = isFirst && markedEncoding(bytes) === 'utf-8';
      isFirst = false;
      return hasMark ? bytes.subarray(3) : bytes;
    },
    finish: () => Buffer.alloc(0),
  };
}

function decoderOf(encoding: Encoding, name: string): Decoder {
  if (encoding === 'windows-1252' || encoding === 'iso-8859-1') {
    const isWindows = encoding === 'windows-1252';
    return {
      push(bytes) {
        const text = bytes.toString('latin1');
        return Buffer.from(isWindows ? text.replace(/[\x80-\x9f]/g, windowsCharacter) : text);
      },
      finish: () => Buffer.alloc(0),
    };
  }
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (bytes: Buffer | undefined) => {
    try {
      return Buffer.from(decoder.decode(bytes, { stream: bytes !== undefined }));
    } catch {
      throw new PipelineError(
        'EXTRACT_UNREADABLE',
        `extract ${name} needs to be ${encoding} text, found bytes that are none; correct format.encoding in pipeline.yaml, or export it again`,
        { file: name },
      );
    }
  };
  return { push: decode, finish: () => decode(undefined) };
}

/** 0x80 to 0x9f; Node's own decoder took them for control characters until 22. */
const WINDOWS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

function windowsCharacter(character: string): string {
  return WINDOWS[character.charCodeAt(0) - 0x80]!;
}
