import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { CodecKey } from './keys.ts';
import { createPayloadCodec } from './payload-codec.ts';

/** Module of the failure converter that goes with encrypted payloads. */
export const ENCODED_FAILURES = fileURLToPath(new URL('./encoded-failures.cjs', import.meta.url));

/**
 * For every client and worker: without keys, too, so that what it cannot read is told with the key that it
 * lacks, and is not taken for data.
 *
 * @param options.inClear a payload of just these words stays as it is
 */
export function dataConverterOf(
  { codecKeys }: { codecKeys: readonly CodecKey[] },
  options: { inClear?: string } = {},
): DataConverter {
  return {
    payloadCodecs: [createPayloadCodec(codecKeys, options)],
    ...(codecKeys.length > 0 && { failureConverterPath: ENCODED_FAILURES }),
  };
}
