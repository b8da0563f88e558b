import type { LoadedDataConverter, Payload } from '@temporalio/common';
import { decodeOptionalSinglePayload } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { keyIdOf, type StrataCodec } from './payload-codec.ts';

interface OfClient {
  options: { loadedDataConverter: LoadedDataConverter };
}

/**
 * A payload of a raw answer of the server, as the client would read it; undefined for none.
 *
 * @throws PipelineError CODEC_KEY_MISSING
 */
export async function readPayload<T>(
  { options }: OfClient,
  payload: Payload | null | undefined,
): Promise<T | undefined> {
  return (await decodeOptionalSinglePayload<T>(options.loadedDataConverter, payload)) ?? undefined;
}

/** Whether the client would encrypt a payload otherwise than it is: with another key, or not at all, or now for the first time. */
export function isEncryptedOtherwise({ options }: OfClient, payload: Payload | null | undefined): boolean {
  const codec = options.loadedDataConverter.payloadCodecs.find((one): one is StrataCodec => 'keyId' in one);
  return codec !== undefined && payload != null && keyIdOf(payload) !== codec.keyId;
}

/** Of a question that may go unanswered: null, but for the want of a key, which waiting does not give. */
export function nullUnlessKeyMissing(fault: unknown): null {
  if (isKeyMissing(fault)) throw fault;
  return null;
}

export function isKeyMissing(fault: unknown): fault is PipelineError {
  return fault instanceof PipelineError && fault.code === 'CODEC_KEY_MISSING';
}
