import { createReadStream, createWriteStream } from 'node:fs';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { SourceFile } from '../../store/warehouse/sources.ts';

/** Of what follows a file is judged by as much. */
const LOOKED_AT_BYTES = 256 * 2 ** 20;

/** What texts that are not UTF-8 are nearly always: Excel's, and that of old tills. */
export const OTHER_ENCODING = 'windows-1252';

/** Null: UTF-8, or a Parquet file, which says so itself. */
export async function encodingOf(file: SourceFile): Promise<typeof OTHER_ENCODING | null> {
  if (file.kind === 'parquet') return null;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  const stream = plain(file);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      decoder.decode(chunk, { stream: true });
      bytes += chunk.length;
      if (bytes > LOOKED_AT_BYTES) return null;
    }
    decoder.decode();
    return null;
  } catch (error) {
    if (error instanceof TypeError) return OTHER_ENCODING;
    throw error;
  } finally {
    stream.destroy();
  }
}

/** The same text in UTF-8. */
export async function writeAsUtf8(file: SourceFile, encoding: string, path: string): Promise<void> {
  const decoder = new TextDecoder(encoding);
  const recode = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, decoder.decode(chunk, { stream: true })),
    flush: (done) => done(null, decoder.decode()),
  });
  await pipeline(plain(file), recode, createWriteStream(path));
}

function plain({ path, kind }: SourceFile): Readable {
  const raw = createReadStream(path);
  return kind === 'csv.gz' ? raw.pipe(createGunzip()) : raw;
}
