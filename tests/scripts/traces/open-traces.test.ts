import { afterEach, beforeEach, expect, test } from 'vitest';
import { PipelineError } from '../../../pipelines/contracts/errors.ts';
import { openTraces } from '../../../scripts/traces/open-traces.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../helpers/otlp-receiver.ts';

let receiver: OtlpReceiver;
beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(() => receiver.close());

function open(protocol: 'http/json' | 'http/protobuf' = 'http/json') {
  const said: string[] = [];
  const say = (words: string) => void said.push(words);
  const url = `${receiver.url.replace('//', '//user:hunter2@')}/v1/traces`;
  const resource = { 'service.name': 'strata' };
  const traces = openTraces({ url, protocol, headers: {}, resource }, { warn: say, info: say });
  return { traces, said };
}

test('a command that fails tells its code, and not a word of what it failed of', async () => {
  const { traces } = open();
  const refused = new PipelineError('EXTRACT_EMPTY', 'kunde-17 has none', {});
  await expect(traces.command('strata one', () => Promise.reject(refused))).rejects.toBe(refused);
  const unknown = new RangeError('kunde-18');
  await expect(traces.command('strata two', () => Promise.reject(unknown))).rejects.toBe(unknown);
  await traces.close();
  expect(receiver.spans.map(({ name, status, attributes }) => ({ name, status, attributes }))).toEqual([
    {
      ...{ name: 'strata one', status: { code: 2, message: 'EXTRACT_EMPTY' } },
      attributes: { 'error.type': 'EXTRACT_EMPTY' },
    },
    { name: 'strata two', status: { code: 2, message: 'UNKNOWN' }, attributes: { 'error.type': 'UNKNOWN' } },
  ]);
  expect(Buffer.concat(receiver.bodies).toString()).not.toContain('kunde');
});

test('what is asked for as protobuf is sent as that', async () => {
  const { traces, said } = open('http/protobuf');
  await traces.command('strata one', async () => undefined);
  await traces.close();
  expect(receiver.headers).toMatchObject([{ 'content-type': 'application/x-protobuf', url: '/v1/traces' }]);
  expect(receiver.bodies[0]!.toString('latin1')).toContain('strata one');
  expect(said).toEqual([]);
});

test('a receiver that refuses is told of once, by its host alone', async () => {
  receiver.answer(403);
  const { traces, said } = open();
  await traces.command('strata one', async () => undefined);
  await traces.close();
  const { host } = new URL(receiver.url);
  expect(said).toEqual([`traces cannot be sent to ${host} (403); runs go on without`]);
});
