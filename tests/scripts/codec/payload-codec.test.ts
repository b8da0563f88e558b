import { createSecretKey, randomBytes } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import { DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MARK } from '../../../pipelines/stages/schedules/facts.ts';
import { dataConverterOf, ENCODED_FAILURES } from '../../../scripts/codec/data-converter.ts';
import { watchKeys } from '../../../scripts/codec/key-watch.ts';
import type { CodecKey } from '../../../scripts/codec/keys.ts';
import { createPayloadCodec, keyIdOf } from '../../../scripts/codec/payload-codec.ts';
import { isEncryptedOtherwise } from '../../../scripts/codec/read-payload.ts';
import { makeReadable } from '../../../workflows/readable-payloads.ts';

const key = (id: string): CodecKey => ({ id, key: createSecretKey(randomBytes(32)) });
const [old, recent] = [key('2026-01'), key('2026-11')];
const codec = createPayloadCodec([old]);

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value)!;
const valueIn = (payload: Payload): unknown => defaultPayloadConverter.fromPayload(payload);
const encrypted = async (value: unknown, by = codec) => (await by.encode([payloadOf(value)]))[0]!;
const decrypted = async (payload: Payload, by = codec) => (await by.decode([payload]))[0]!;

describe('the payload codec', () => {
  test('gives back every payload as it was, its metadata too', async () => {
    const metadata = fc.dictionary(fc.string(), fc.uint8Array(), { noNullPrototype: true });
    const payload = fc.record({ metadata, data: fc.uint8Array({ maxLength: 5_000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { maxLength: 4 }), async (payloads) => {
        const back = await codec.decode(await codec.encode(payloads));
        const plain = back.map(({ metadata: named, data }) => ({
          metadata: Object.fromEntries(Object.entries(named ?? {}).map(([n, v]) => [n, [...v]])),
          data: [...(data ?? [])],
        }));
        expect(plain).toEqual(
          payloads.map(({ metadata: named, data }) => ({
            metadata: Object.fromEntries(Object.entries(named).map(([n, v]) => [n, [...v]])),
            data: [...data],
          })),
        );
      }),
      { numRuns: 100 },
    );
  });

  test('leaves nothing of the value to be read, and the same value is never the same twice', async () => {
    const [one, other] = [await encrypted({ pipeline: 'shop' }), await encrypted({ pipeline: 'shop' })];
    const text = Buffer.from(one.data!).toString('latin1');
    expect(text).not.toMatch(/shop|pipeline|json/);
    expect(one.data).not.toEqual(other.data);
    expect(one.data!.subarray(0, 12)).not.toEqual(other.data!.subarray(0, 12));
    expect(keyIdOf(one)).toBe('2026-01');
  });

  test('reads with every key and writes with the first: a key is changed in two steps', async () => {
    const before = await encrypted('before');
    const both = createPayloadCodec([recent, old]);
    expect(valueIn(await decrypted(before, both))).toBe('before');
    expect(keyIdOf(await encrypted('after', both))).toBe('2026-11');
    await expect(decrypted(await encrypted('after', both))).rejects.toMatchObject({
      code: 'CODEC_KEY_MISSING',
      message: expect.stringMatching(/needs the key 2026-11 .* found 2026-01 here; add 2026-11:BASE64/),
    });
  });

  test('without keys encrypts nothing, and says of what is encrypted which key it lacks', async () => {
    const none = createPayloadCodec([]);
    const payload = payloadOf('plain');
    expect(await none.encode([payload])).toEqual([payload]);
    await expect(decrypted(await encrypted('x'), none)).rejects.toMatchObject({
      code: 'CODEC_KEY_MISSING',
      message: expect.stringContaining('found none here'),
    });
  });

  test('passes on what it did not make: plain payloads, and those of other codecs', async () => {
    const foreign: Payload = {
      metadata: {
        encoding: Buffer.from('binary/encrypted'),
        'encryption-key-id': Buffer.from('somebody-elses'),
      },
      data: randomBytes(40),
    };
    const strange = [payloadOf({ a: 1 }), payloadOf(null), {}, { data: randomBytes(3) }, foreign];
    expect(await codec.decode(strange)).toEqual(strange);
  });

  test('whatever is changed of an encrypted payload, it is passed on as it came, and never throws', async () => {
    const sound = await encrypted({ pipeline: 'shop' });
    const damaged = (data: Uint8Array): Payload => ({ ...sound, data });
    for (let i = 0; i < sound.data!.length; i++) {
      const data = Uint8Array.from(sound.data!);
      data[i]! ^= 1;
      expect(await decrypted(damaged(data))).toEqual(damaged(data));
    }
    for (const length of [0, 11, 27, 28, sound.data!.length - 1]) {
      const cut = damaged(sound.data!.slice(0, length));
      expect(await decrypted(cut)).toEqual(cut);
    }
    for (const id of ['', ' ', '../key', 'x'.repeat(65), '\u0000']) {
      const renamed = { ...sound, metadata: { ...sound.metadata, 'encryption-key-id': Buffer.from(id) } };
      expect(await decrypted(renamed)).toEqual(renamed);
    }
  });

  test('a key’s name is bound to what it encrypted: under another name the same bytes are not read', async () => {
    const twin = { id: 'twin', key: old.key };
    const sound = await encrypted('x');
    const renamed = { ...sound, metadata: { ...sound.metadata, 'encryption-key-id': Buffer.from('twin') } };
    expect(await decrypted(renamed, createPayloadCodec([old, twin]))).toEqual(renamed);
  });
});

describe('a schedule', () => {
  const clientWith = (keys: readonly CodecKey[]) => ({
    options: { loadedDataConverter: { payloadCodecs: [createPayloadCodec(keys)] } as never },
  });

  test('is written anew when its input is under another key than that which encrypts, and only then', async () => {
    const [plain, under] = [payloadOf({ pipeline: 'shop' }), await encrypted({ pipeline: 'shop' })];
    const differs = (keys: readonly CodecKey[]) =>
      [plain, under, undefined].map((payload) => isEncryptedOtherwise(clientWith(keys), payload));
    expect(differs([])).toEqual([false, true, false]);
    expect(differs([old])).toEqual([true, false, false]);
    expect(differs([recent, old])).toEqual([true, true, false]);
    expect(
      isEncryptedOtherwise({ options: { loadedDataConverter: { payloadCodecs: [] } as never } }, plain),
    ).toBe(false);
  });

  test('is known by its mark without any key', async () => {
    const marking = createPayloadCodec([old], { inClear: MARK.madeBy });
    const mark = await encrypted(MARK.madeBy, marking);
    expect(valueIn(await decrypted(mark, createPayloadCodec([])))).toBe(MARK.madeBy);
    expect(keyIdOf(await encrypted(`${MARK.madeBy}!`, marking))).toBe('2026-01');
  });
});

describe('a worker that lacks a key', () => {
  const lacking = () => watchKeys({ payloadCodecs: [createPayloadCodec([])] });
  const workflow = { namespace: 'default', workflowId: 'segment/shop/latest' };

  test('ends where an activity needs it, before its attempts are used up', async () => {
    const { dataConverter, missing } = lacking();
    const decoding = dataConverter.payloadCodecs![0]!.decode([await encrypted({})], {
      ...workflow,
      type: 'activity',
    } as never);
    await expect(decoding).rejects.toMatchObject({ code: 'CODEC_KEY_MISSING' });
    await expect(missing).rejects.toMatchObject({ code: 'CODEC_KEY_MISSING' });
  });

  test('goes on where a workflow does, whose task is tried again', async () => {
    const { dataConverter, missing } = lacking();
    const decoding = dataConverter.payloadCodecs![0]!.decode([await encrypted({})], {
      ...workflow,
      type: 'workflow',
    });
    await expect(decoding).rejects.toMatchObject({ code: 'CODEC_KEY_MISSING' });
    const later = new Promise((resolve) => setImmediate(resolve, 'goes on'));
    expect(await Promise.race([missing.catch(() => 'ended'), later])).toBe('goes on');
  });
});

describe('what is damaged', () => {
  test('reaches handlers as something they refuse in words', async () => {
    const sound = await encrypted({});
    const payload = { ...sound, data: sound.data!.slice(1) };
    const args = await codec.decode([payload]);
    const signalWorkflow = { signalName: 'requestRun', input: args };
    makeReadable({ signalWorkflow });
    expect(signalWorkflow.input.map(valueIn)).toEqual([{ unreadable: expect.any(String) }]);
  });

  test('is taken for no data anywhere else: the converter refuses it', async () => {
    const sound = await encrypted({ granted: true });
    const payload = await decrypted({ ...sound, data: sound.data!.slice(1) });
    expect(() => valueIn(payload)).toThrow(/encrypted/);
  });
});

describe('messages and stack traces of failures', () => {
  test('are encoded where there are keys, and only there', async () => {
    expect(dataConverterOf({ codecKeys: [] }).failureConverterPath).toBeUndefined();
    expect(dataConverterOf({ codecKeys: [old] }).failureConverterPath).toBe(ENCODED_FAILURES);
    const { failureConverter } = (await import(ENCODED_FAILURES)) as {
      failureConverter: DefaultFailureConverter;
    };
    const failure = failureConverter.errorToFailure(new Error('words'), defaultPayloadConverter);
    expect(failure).toMatchObject({ message: 'Encoded failure', stackTrace: '' });
    // Read by who has not been told: what was kept replays without this converter.
    const error = new DefaultFailureConverter().failureToError(failure, defaultPayloadConverter);
    expect(error.message).toBe('words');
  });
});
