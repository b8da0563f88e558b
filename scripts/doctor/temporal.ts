import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { RETENTION_DAYS, TASK_QUEUES } from '../../temporal.config.ts';
import { dataConverterOf } from '../codec/data-converter.ts';
import type { Config } from '../config.ts';
import { firstLine } from '../error-text.ts';
import type { Log } from '../log.ts';
import { ownServer } from '../services/running.ts';
import { findTemporalBinary } from '../services/temporal-binary.ts';
import { lookAtSearchAttributes, readRetentionSeconds } from '../services/temporal-namespace.ts';
import { pollersOf } from '../show/execution.ts';
import type { Finding, Probe } from './finding.ts';

type Found = Omit<Finding, 'area'>;

const CONNECT_WITHIN_MS = 4_000;
const SECONDS_PER_DAY = 86_400;

export function temporalProbe(config: Config): Probe {
  const { address } = config.temporal;
  const wayOut = address
    ? ['correct TEMPORAL_ADDRESS, or start the server there, or unset it to have one started']
    : ['npm start brings it back', `its log: ${join(config.home, 'logs/temporal.log')}`];
  return {
    area: 'Temporal',
    wayOut,
    async look() {
      if (address !== undefined) return answering(config, config.temporal.connectionOptions, address);
      const own = ownServer(config, 'temporal');
      if (own === null) return notRunning(config);
      if (!own.isAlive)
        return [
          { state: 'warning', says: `the server of this home (process ${own.record.pid}) has ended`, wayOut },
        ];
      const here = `127.0.0.1:${own.record.port}`;
      return answering(config, { address: here }, here);
    },
  };
}

async function answering(
  config: Config,
  connectionOptions: Config['temporal']['connectionOptions'],
  address: string,
): Promise<Found[]> {
  const { namespace } = config.temporal;
  const startedAt = performance.now();
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: CONNECT_WITHIN_MS });
  try {
    return await connection.withDeadline(Date.now() + CONNECT_WITHIN_MS, async () => {
      const { serverVersion } = await connection.workflowService.getSystemInfo({});
      const ms = Math.round(performance.now() - startedAt);
      const says = `Temporal ${serverVersion} answers at ${address} after ${ms} ms`;
      const client = new Client({ connection, namespace, dataConverter: dataConverterOf(config) });
      const [room, attributes, queues] = await Promise.all([
        namespaceOf(connection, namespace),
        attributesOf(connection, namespace),
        queuesOf(client),
      ]);
      return [{ state: 'ok' as const, says }, room, ...attributes, ...queues];
    });
  } finally {
    await connection.close();
  }
}

async function namespaceOf(connection: Connection, namespace: string): Promise<Found> {
  const days = (await readRetentionSeconds(connection, namespace)) / SECONDS_PER_DAY;
  const says = `namespace ${namespace} keeps closed runs for ${days} ${days === 1 ? 'day' : 'days'}`;
  if (days >= RETENTION_DAYS) return { state: 'ok', says };
  return {
    state: 'warning',
    says,
    wayOut: [`temporal operator namespace update -n ${namespace} --retention ${RETENTION_DAYS}d`],
  };
}

async function attributesOf(connection: Connection, namespace: string): Promise<Found[]> {
  let found: Awaited<ReturnType<typeof lookAtSearchAttributes>>;
  try {
    found = await lookAtSearchAttributes(connection, namespace);
  } catch (fault) {
    return [{ state: 'warning', says: `its search attributes may not be listed: ${firstLine(fault)}` }];
  }
  const { missing, otherType } = found;
  if (otherType.length > 0) {
    return [
      {
        state: 'broken',
        says: `search attributes of another type than needed: ${otherType.join(', ')}`,
        wayOut: ["use a namespace of Strata's own, or remove them there"],
      },
    ];
  }
  if (missing.length === 0) return [{ state: 'ok', says: 'search attributes are registered' }];
  return [
    {
      state: 'warning',
      says: `search attributes are missing: ${missing.map(({ name }) => name).join(', ')}`,
      wayOut: [
        'the next start of a worker registers them, where it may; else',
        ...missing.map(({ command }) => command),
      ],
    },
  ];
}

/** A worker that is busy asks for no more work: what is said is what the server remembers. */
async function queuesOf(client: Client): Promise<Found[]> {
  const asked = [
    { queue: TASK_QUEUES.workflows, kind: 'workflow' as const },
    ...Object.values(TASK_QUEUES).map((queue) => ({ queue, kind: 'activity' as const })),
  ];
  const pollers = await Promise.all(asked.map(({ queue, kind }) => pollersOf(client, queue, kind)));
  const empty = [...new Set(asked.filter((_, i) => pollers[i] === 0).map(({ queue }) => queue))];
  const queues = Object.values(TASK_QUEUES).join(', ');
  if (empty.length === 0) return [{ state: 'ok', says: `workers ask for work on ${queues}` }];
  return [
    {
      state: 'warning',
      says: `no worker has asked for work on ${empty.join(', ')} in the last minutes`,
      wayOut: ['npm run worker, or npm start'],
    },
  ];
}

async function notRunning(config: Config): Promise<Found[]> {
  const passedOver: string[] = [];
  const log: Log = {
    ...{ step: () => ({ update() {}, done() {}, fail() {}, skip() {} }), debug() {}, info() {}, error() {} },
    warn: (text) => passedOver.push(text),
  };
  const binary = await findTemporalBinary({ tools: config.tools, log });
  const others = passedOver.map((says): Found => ({ state: 'warning', says }));
  if (binary !== undefined) {
    const says = `none is running; its CLI is ${binary.path}, from ${binary.source}`;
    return [{ state: 'warning', says, wayOut: ['npm start starts one, or set TEMPORAL_ADDRESS'] }, ...others];
  }
  const go = await onPath(config, 'go');
  return [
    {
      state: 'warning',
      says: `none is running, and there is no Temporal CLI here; npm start downloads it${go ? `, or builds it with ${go}` : ' (Go, which could build it, is not here)'}`,
      wayOut: ['npm start, or put temporal on PATH, name it in TEMPORAL_CLI_PATH, or set TEMPORAL_ADDRESS'],
    },
    ...others,
  ];
}

async function onPath({ tools }: Config, program: string): Promise<string | null> {
  for (const folder of tools.pathFolders) {
    const path = join(folder, program);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return null;
}
