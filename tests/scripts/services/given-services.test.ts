import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServices } from '../../../scripts/services/index.ts';
import { choosePort, isPortFree, LOOPBACK } from '../../../scripts/services/ports.ts';
import { prepareForeignNamespace } from '../../../scripts/services/temporal-namespace.ts';
import { temporalAddress } from '../../helpers/temporal.ts';
import { createQuietLog, makeHome, removeHome, servicesOf } from './homes.ts';

const KEYWORD = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
/** gRPC status. */
const NOT_FOUND = 5;

let ours: string;
let other: string;
beforeAll(() => {
  ours = makeHome();
  other = makeHome();
});
afterAll(async () => {
  await removeHome(ours);
  await removeHome(other);
});

test('given services are used, none is started, and stop leaves them alone', async () => {
  const own = await startServices({
    home: other,
    log: createQuietLog().log,
    env: { PATH: process.env.PATH },
  });
  const env = { STRATA_DATABASE_URL: own.databaseUrl, TEMPORAL_ADDRESS: own.temporal.address };
  const { log, lines } = createQuietLog();
  const given = await startServices({ home: ours, log, env });
  expect(given.databaseUrl).toBe(own.databaseUrl);
  expect(given.temporal).toMatchObject({ ...own.temporal, started: false });
  expect(lines).toEqual([]);
  await given.stop();
  expect(servicesOf(ours)).toEqual([]);
  expect(servicesOf(other)).toHaveLength(2);
  await own.stop();
});

test.each([
  ['a closed port', '127.0.0.1:9', 'ECONNREFUSED'],
  ['a name that does not exist', 'no-such-host.invalid:5432', 'no-such-host.invalid'],
])('PostgreSQL at %s: a coded error with the way out, without the password', async (_, host, reason) => {
  const env = { STRATA_DATABASE_URL: `postgres://strata:hunter2@${host}/strata` };
  const started = startServices({ home: ours, log: createQuietLog().log, env, only: ['postgres'] });
  const error = await started.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
  expect(error.message).toContain(reason);
  expect(error.message).toContain('STRATA_DATABASE_URL');
  expect(JSON.stringify([error.message, error.details, error.stack])).not.toContain('hunter2');
});

test('Temporal that is not there: a coded error with the way out', async () => {
  const env = { TEMPORAL_ADDRESS: '127.0.0.1:9' };
  const started = startServices({ home: ours, log: createQuietLog().log, env, only: ['temporal'] });
  await expect(started).rejects.toMatchObject({
    code: 'TEMPORAL_UNREACHABLE',
    message: expect.stringContaining('TEMPORAL_ADDRESS'),
  });
});

describe('search attributes of a server that is not ours', () => {
  type Operator = Connection['operatorService'];
  const refuse = () => Promise.reject(new Error('PERMISSION_DENIED: not yours'));

  /** The real server; of its operator service only what is given here. */
  async function withOperator(operator: Partial<Record<keyof Operator, unknown>>, namespace: string) {
    const connection = await Connection.connect({ address: temporalAddress() });
    const { log, lines } = createQuietLog();
    const foreign = Object.create(connection, { operatorService: { value: operator } }) as Connection;
    await prepareForeignNamespace(foreign, namespace, log).finally(() => connection.close());
    return lines;
  }

  test('that its owner has registered are fine, though we may not even list them', async () => {
    await expect(withOperator({ listSearchAttributes: refuse }, 'default')).resolves.toEqual([]);
  });

  test('that are not there and are refused: nothing is started, and the commands are told', async () => {
    const namespace = `bare-${randomUUID()}`;
    const connection = await Connection.connect({ address: temporalAddress() });
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    await connection.close();
    const listSearchAttributes = async () => ({ customAttributes: {} });
    const started = untilKnown(() =>
      withOperator({ listSearchAttributes, addSearchAttributes: refuse }, namespace),
    );
    await expect(started).rejects.toMatchObject({
      code: 'SEARCH_ATTRIBUTES_MISSING',
      message: expect.stringMatching(
        /did not take them \(PERMISSION_DENIED.*search-attribute create -n bare-.* --name StrataAsOf --type Datetime/s,
      ),
    });
  });

  test('of another type are refused, as a run could not set them', async () => {
    const listSearchAttributes = async () => ({ customAttributes: { StrataCustomers: KEYWORD } });
    await expect(withOperator({ listSearchAttributes }, 'default')).rejects.toMatchObject({
      code: 'SEARCH_ATTRIBUTES_MISSING',
      message: expect.stringContaining('StrataCustomers as Int'),
    });
  });
});

/** A namespace that was just made is not known to every part of the server at once. */
async function untilKnown<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if ((error as { code?: unknown }).code !== NOT_FOUND) throw error;
      await sleep(200);
    }
  }
}

test('a taken port is left to whoever has it, and a neighbour is chosen', async () => {
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen({ host: LOOPBACK, port: 0 }, resolve));
  const address = stranger.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await isPortFree(port)).toBe(false);
  const chosen = await choosePort(port);
  expect(chosen).not.toBe(port);
  expect(await isPortFree(chosen)).toBe(true);
  expect(await choosePort(port, new Set([chosen]))).not.toBe(chosen);
  await new Promise((resolve) => stranger.close(resolve));
});
