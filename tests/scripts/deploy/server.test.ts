import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lookAt, setCurrent } from '../../../scripts/deploy/server.ts';
import { deployment } from './deployment.ts';

const WITHIN_MS = 500;
/** gRPC statuses. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;
const sockets = new Set<Socket>();
let server: Server;
let client: Client;

/** Takes connections and never answers, as a server does that hangs. */
beforeEach(async () => {
  server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  client = new Client({ connection: Connection.lazy({ address: `127.0.0.1:${port}` }) });
});
afterEach(async () => {
  await client.connection.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('a server that hangs is told of in time, with the way out, whether it was asked or told', async () => {
  const silent = { code: 'TEMPORAL_UNREACHABLE', message: expect.stringMatching(/0\.5 s.*strata -- doctor/) };
  const begun = performance.now();
  await expect(lookAt(client, 'strata', { withinMs: WITHIN_MS })).rejects.toMatchObject(silent);
  const looked = { ...deployment(), conflictToken: null };
  await expect(
    setCurrent(client, looked, '4f2a1c9e0b12', { person: 'a test', withinMs: WITHIN_MS }),
  ).rejects.toMatchObject(silent);
  expect(performance.now() - begun).toBeLessThan(20 * WITHIN_MS);
});

const refuse = async (code: number) => Promise.reject(Object.assign(new Error('raw'), { code }));
/** A client whose server answers so. */
const answering = (workflowService: object, count: () => Promise<object>) =>
  ({
    options: { namespace: 'default' },
    withDeadline: (_: number, question: () => Promise<unknown>) => question(),
    workflowService,
    workflow: { count },
  }) as unknown as Client;

test('a server too old is told of as that, whichever question it refuses first', async () => {
  const old = {
    describeWorkerDeployment: () => sleep(20).then(() => refuse(UNIMPLEMENTED)),
    describeTaskQueue: async () => ({}),
  };
  const looked = lookAt(
    answering(old, () => refuse(INVALID_ARGUMENT)),
    'strata',
  );
  await expect(looked).rejects.toMatchObject({
    code: 'DEPLOY_REFUSED',
    message: expect.stringContaining('has to be 1.29 or newer'),
  });
});

test('a version that the server lists and cannot tell of yet has asked for no work yet', async () => {
  const deploymentVersion = { deploymentName: 'strata', buildId: 'new' };
  const time = { seconds: Date.now() / 1_000 };
  const young = {
    describeWorkerDeployment: async () => ({
      workerDeploymentInfo: { versionSummaries: [{ deploymentVersion, createTime: time }] },
    }),
    describeTaskQueue: async () => ({
      pollers: [{ lastAccessTime: time, identity: '1@a', deploymentOptions: deploymentVersion }],
    }),
    describeWorkerDeploymentVersion: () => refuse(NOT_FOUND),
  };
  const { versions } = await lookAt(
    answering(young, async () => ({ count: 0 })),
    'strata',
  );
  expect(versions).toMatchObject([
    { buildId: 'new', notYetAsked: ['strata', 'strata-compute', 'strata-waits'] },
  ]);
});
