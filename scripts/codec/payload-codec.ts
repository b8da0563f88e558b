import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { type CodecKey, isKeyId } from './keys.ts';

// Payloads as Temporal's server keeps them: AES-256-GCM over the whole payload, its metadata too. In clear stand the
// encoding, the cipher and the id of the key, which the tag covers.
//
// What cannot be read is of two kinds, and a run must not take one for the other. Without the key it is a fault of this
// process: it throws, the task is tried again, and the run goes on once the key is given. Answered with a refusal today
// and read tomorrow, one history would replay in two ways. Damaged or made-up bytes stay what they are, whoever asks:
// they are passed on as they came, and the payload converter refuses their encoding, in words where a caller sent them.

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

export const ENCODING = 'binary/encrypted';
/** Other codecs use that encoding, too: theirs are no payloads of ours with a key missing. */
const CIPHER = 'strata-A256GCM';
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const textOf = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('utf8');
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'utf8'));

export interface StrataCodec extends PayloadCodec {
  /** Of the key that encrypts; undefined: nothing is encrypted. */
  readonly keyId: string | undefined;
}

/**
 * Encrypts with the first key and decrypts with any; without keys nothing is encrypted, and none can be read.
 *
 * @param options.inClear a payload of just these words stays as it is
 */
export function createPayloadCodec(
  keys: readonly CodecKey[],
  { inClear }: { inClear?: string | undefined } = {},
): StrataCodec {
  const [first] = keys;
  const isClear = ({ data }: Payload) => inClear !== undefined && textOf(data) === JSON.stringify(inClear);
  return {
    keyId: first?.id,
    encode: async (payloads) =>
      first ? payloads.map((one) => (isClear(one) ? one : encrypt(one, first))) : payloads,
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, keys)),
  };
}

/** Id of the key that a payload is encrypted with; undefined for one that this codec did not make. */
export function keyIdOf({ metadata }: Payload): string | undefined {
  if (textOf(metadata?.encoding) !== ENCODING || textOf(metadata?.['encryption-cipher']) !== CIPHER)
    return undefined;
  const id = textOf(metadata?.['encryption-key-id']);
  return isKeyId(id) ? id : undefined;
}

function encrypt({ metadata, data }: Payload, { id, key }: CodecKey): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(id));
  const plain = PayloadMessage.encode(PayloadMessage.create({ metadata, data })).finish();
  const encrypted = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: {
      encoding: bytesOf(ENCODING),
      'encryption-cipher': bytesOf(CIPHER),
      'encryption-key-id': bytesOf(id),
    },
    data: new Uint8Array(encrypted),
  };
}

function decrypt(payload: Payload, keys: readonly CodecKey[]): Payload {
  const id = keyIdOf(payload);
  if (id === undefined) return payload;
  const key = keys.find((one) => one.id === id)?.key;
  if (key === undefined) throw keyMissing(id, keys);
  const bytes = Buffer.from(payload.data ?? []);
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return payload;
  try {
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(boundTo(id));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    const { metadata, data } = PayloadMessage.decode(plain);
    return { metadata, data };
  } catch {
    return payload;
  }
}

function boundTo(keyId: string): Buffer {
  return Buffer.from(`${ENCODING}\n${CIPHER}\n${keyId}`, 'utf8');
}

function keyMissing(id: string, keys: readonly CodecKey[]): PipelineError {
  const given = keys.length === 0 ? 'none' : keys.map((key) => key.id).join(', ');
  return new PipelineError(
    'CODEC_KEY_MISSING',
    `a payload needs the key ${id} to be read, found ${given} here; add ${id}:BASE64 to STRATA_CODEC_KEYS (or the file of STRATA_CODEC_KEYS_FILE), behind the key that encrypts, and start again`,
    { keyId: id, keys: keys.length },
  );
}
