import type { SourceFile } from '../../store/warehouse/sources.ts';
import { unpackedBytes } from '../../store/warehouse/text-stream.ts';

/** Of what follows a file is judged by as much. */
const LOOKED_AT_BYTES = 256 * 2 ** 20;

/** What texts that are not UTF-8 are nearly always: Excel's, and that of old tills. */
const OTHER_ENCODING = 'windows-1252';

/** Undefined: UTF-8, what a byte order mark says, or a Parquet file. */
export async function encodingOf(file: SourceFile): Promise<typeof OTHER_ENCODING | undefined> {
  if (file.dialect === null || file.dialect.isEncodingKnown) return undefined;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  try {
    for await (const chunk of unpackedBytes(file)) {
      decoder.decode(chunk, { stream: true });
      bytes += chunk.length;
      if (bytes > LOOKED_AT_BYTES) return undefined;
    }
    decoder.decode();
    return undefined;
  } catch (error) {
    if (error instanceof TypeError) return OTHER_ENCODING;
    throw error;
  }
}
