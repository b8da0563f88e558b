import type { DataConverter } from '@temporalio/worker';
import { isKeyMissing } from './read-payload.ts';

/**
 * A data converter that tells when an activity's payload needs a key that is not here. A workflow task is tried again
 * until the key is given; an activity would use up its attempts in minutes, and its run fail.
 *
 * @returns `missing` rejects with CODEC_KEY_MISSING, once; it never resolves
 */
export function watchKeys(dataConverter: DataConverter): {
  dataConverter: DataConverter;
  missing: Promise<never>;
} {
  let tell: (fault: unknown) => void;
  const missing = new Promise<never>((_, reject) => {
    tell = reject;
  });
  // Whoever races it hears of it; nobody else has to.
  missing.catch(() => undefined);
  const payloadCodecs = (dataConverter.payloadCodecs ?? []).map((codec): typeof codec => ({
    encode: (payloads, context) => codec.encode(payloads, context),
    async decode(payloads, context) {
      try {
        return await codec.decode(payloads, context);
      } catch (fault) {
        if (context?.type === 'activity' && isKeyMissing(fault)) tell(fault);
        throw fault;
      }
    },
  }));
  return { dataConverter: { ...dataConverter, payloadCodecs }, missing };
}
