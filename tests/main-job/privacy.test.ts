import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { RunSummary, StartInput } from '../../pipelines/contracts/run.ts';
import { dataConverterOf } from '../../scripts/codec/data-converter.ts';
import { PROJECT_FOLDER, readConfig } from '../../scripts/config.ts';
import { innermostMessage } from '../../scripts/error-text.ts';
import { choosePort, LOOPBACK } from '../../scripts/services/ports.ts';
import { openWarehouse } from '../../store/warehouse/duckdb.ts';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';
import { filesIn } from '../helpers/activity-shop.ts';
import { historiesSeen } from '../helpers/seen-histories.ts';
import { shortDefinition } from '../helpers/short-definition.ts';
import { openStrataHome, type StrataHome, untilProgress } from '../helpers/strata-home.ts';
import { bundleWorkflows } from '../helpers/temporal.ts';

// One Strata, three workers one after the other: without keys, and then with two sets of them.

const MINUTES = 60_000;
/** Behind every customer's id: no word of a run may hold it. */
const DOMAIN = 'planted.example';
const PASSWORD = 'planted-password-Ge4t';
const [OLD_KEY, NEW_KEY] = [
  `old:${randomBytes(32).toString('base64')}`,
  `new:${randomBytes(32).toString('base64')}`,
];

let folder: string;
let strata: StrataHome;
let header: string;
let rows: string[];
let extract: string;
const processes: ChildProcess[] = [];
/** All that workers and commands wrote, at the log level that says most. */
let said = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-extracts-'));
  [header, ...rows] = await plantedRows();
  extract = await file('orders.csv', [header!, ...rows, ...dirt(rows)]);
  strata = await openStrataHome({ fewTrials: true });
  await writeDefinitions();
}, 2 * MINUTES);

afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await strata?.close();
  await rm(folder, { recursive: true, force: true });
});

/** The built-in shop as CSV, with a customer's address in place of each number. */
async function plantedRows(): Promise<string[]> {
  const path = await writeShopExtract(folder, { customers: 300 });
  const warehouse = await openWarehouse({
    ...{ threads: 1, memoryLimitMb: 256, tempFolder: folder, allowedFolders: [folder] },
  });
  const found = await warehouse.rows(`SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet('${path}')`);
  warehouse.close();
  const lines = found.map((row) =>
    Object.values(row)
      .map((value) => value ?? '')
      .join(','),
  );
  return [
    Object.keys(found[0]!).join(','),
    ...lines.map((line) => line.replace(/kunde-\d+/, `$&@${DOMAIN}`)),
  ];
}

const idOf = (row: string) => /kunde-\d+@planted\.example/.exec(row)?.[0] ?? 'nobody';

/** Rows that are refused, each for another reason, with an id where a message might quote it. */
function dirt(good: readonly string[]): string[] {
  const at = header.split(',');
  const broken = (column: string, value: (id: string) => string) => (row: string) => {
    const fields = row.split(',');
    fields[at.indexOf(column)] = value(idOf(row));
    return fields.join(',');
  };
  const ways = [
    broken('ordered_at', (id) => `when ${id} came`),
    broken('unit_price', (id) => id),
    broken('quantity', (id) => `2 for ${id}`),
    broken('customer_number', () => ''),
    (row: string) => `${row},${idOf(row)}`,
    (row: string) => idOf(row),
    (row: string) => `${row.replace(/,([^,]*)$/, ',"$1')}`,
  ];
  return ways.map((way, i) => way(good[i]!));
}

async function file(name: string, lines: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

/** The shop with an alert that speaks of every change; two pipelines whose databases refuse them. */
async function writeDefinitions(): Promise<void> {
  const definitions = join(strata.home, 'definitions');
  const shop = join(definitions, 'shop/pipeline.yaml');
  const rule = { name: 'told', kind: 'stability', severity: 'critical', below: 1 };
  const more = { alerts: { rules: [rule] }, notify: [{ kind: 'log' }] };
  await writeFile(shop, stringify({ ...parse(await readFile(shop, 'utf8')), ...more }));
  for (const pipeline of ['locked', 'broken']) {
    const query = `SELECT '${ID_MARK}1@${DOMAIN}'::int AS "Customer", 1 AS "Order", now() AS "At", 1 AS "Pieces", 1 AS "Price"`;
    const urlFrom = `${pipeline.toUpperCase()}_DATABASE`;
    const text = shortDefinition({ pipeline });
    const definition = { ...parse(text.pipeline), pipeline } as { source: { columns: object } };
    const source = { kind: 'postgres', urlFrom, query, columns: definition.source.columns };
    await mkdir(join(definitions, pipeline));
    await writeFile(join(definitions, pipeline, 'pipeline.yaml'), stringify({ ...definition, source }));
    await writeFile(join(definitions, pipeline, 'contract.yaml'), text.contract);
  }
}

interface Running {
  child: ChildProcess;
  code: Promise<number | null>;
}

function start(script: string, args: string[], env: Record<string, string> = {}): Running {
  const { databaseUrl, temporal } = strata.services;
  const locked = new URL(databaseUrl);
  locked.password = PASSWORD;
  const child = spawn(process.execPath, ['--import', 'tsx', `scripts/${script}.ts`, ...args], {
    cwd: PROJECT_FOLDER,
    env: {
      ...process.env,
      STRATA_HOME: strata.home,
      STRATA_DEFINITIONS: join(strata.home, 'definitions'),
      STRATA_DATABASE_URL: databaseUrl,
      STRATA_LOG_LEVEL: 'debug',
      TEMPORAL_ADDRESS: temporal.address,
      LOCKED_DATABASE: locked.href,
      BROKEN_DATABASE: databaseUrl,
      ...env,
    },
  });
  processes.push(child);
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  return { child, code: once(child, 'close').then(([code]) => code as number | null) };
}

async function startWorker(env?: Record<string, string>): Promise<Running> {
  const before = said.length;
  const worker = start('worker', [], env);
  while (!said.slice(before).includes('Polling')) {
    if (worker.child.exitCode !== null) throw new Error(`the worker ended: ${said.slice(before)}`);
    await sleep(20);
  }
  return worker;
}

async function stop({ child, code }: Running): Promise<void> {
  child.kill('SIGTERM');
  await code;
}

const clientWith = (keys: string) =>
  new Client({
    connection: strata.client.connection,
    dataConverter: dataConverterOf(readConfig({ STRATA_CODEC_KEYS: keys })),
  });

let runs = 0;
async function run(input: StartInput, client = strata.client): Promise<WorkflowHandle> {
  return client.workflow.start('segmentCustomers', {
    ...{ workflowId: `segment/privacy/${runs++}`, taskQueue: 'strata', args: [input] },
  });
}

/** How it ended: the outcome, or the failure's words. */
const endOf = (handle: WorkflowHandle): Promise<string> =>
  handle.result().then((summary) => (summary as RunSummary).outcome, innermostMessage);

/** What must be nowhere. */
const secrets = () => [
  ...[ID_MARK, DOMAIN, PASSWORD, new URL(strata.services.databaseUrl).password],
  ...[OLD_KEY, NEW_KEY].map((key) => key.split(':')[1]!),
];

function findsNoSecret(where: string, text: string): void {
  for (const secret of secrets()) {
    const at = text.indexOf(secret);
    expect(at === -1 ? '' : `${where}: …${text.slice(Math.max(0, at - 90), at + 60)}…`).toBe('');
  }
}

describe('no customer and no credential', () => {
  const ends: Record<string, string> = {};
  let held: WorkflowHandle;
  let worker: Running;
  let metricsPort: number;

  beforeAll(async () => {
    metricsPort = await choosePort(19_564);
    // All that a line of text says, and more.
    worker = await startWorker({ STRATA_LOG_FORMAT: 'json', STRATA_METRICS_PORT: String(metricsPort) });
    const first = await run({ extract, asOf: '2026-05-01' });
    ends.first = await endOf(first);
    held = await run({ extract, asOf: '2026-06-15', review: 'always' });
    const { runId } = await untilProgress(held, ({ outcome }) => outcome === 'held');
    const { segments } = (await first.result()) as RunSummary;
    const rename = { segment: segments[0]!.segmentId, name: 'Our best', because: 'spring', by: 'CRM' };
    await held.executeUpdate('renameSegment', { args: [rename] });
    await held.executeUpdate('review', { args: [{ decision: 'publish', note: 'looked at' }] });
    ends.held = await endOf(held);
    const bad = {
      headless: {
        extract: await file(
          'headless.csv',
          rows.map((row) => row.replace(/(\d{4})-(\d\d)-(\d\d)/g, '$3 March $1')),
        ),
      },
      future: {
        extract: await file('future.csv', [
          header,
          ...rows,
          rows[0]!.replace(/\d{4}-\d\d-\d\d/g, '2101-01-01'),
        ]),
      },
      refused: {
        extract: await file('refused.csv', [
          header,
          ...rows.map((row) => row.replace(/,\d+\.\d\d,/, `,${idOf(row)},`)),
        ]),
      },
      locked: { pipeline: 'locked' },
      broken: { pipeline: 'broken' },
    };
    const all = Object.entries(bad).map(async ([name, input]) => {
      ends[name] = await endOf(await run(input));
    });
    await Promise.all(all);
    await strata.client.workflow.getHandle(`history/${runId}`).result();
    // Whatever waits for the closed runs has been written by then.
    await sleep(1_000);
  }, 5 * MINUTES);

  test('is needed to end a run in any of its ways', () => {
    expect(ends).toEqual({
      first: 'published',
      held: 'published',
      headless: expect.stringContaining('EXTRACT_COLUMN_MISSING'),
      future: expect.stringContaining('AS_OF_IN_FUTURE'),
      refused: 'rejected',
      locked: expect.stringMatching(/user and password are not accepted.*SOURCE_REFUSED/),
      broken: expect.stringMatching(/\(value\).*SOURCE_REFUSED/),
    });
    expect(said).toContain('told');
  });

  test('is in an error’s message', () => {
    for (const [name, words] of Object.entries(ends)) findsNoSecret(name, words);
  });

  test('is in any history, in clear or in a payload, or in what a run answers', async () => {
    const all = await historiesSeen(strata.client);
    expect(all.length).toBeGreaterThanOrEqual(14);
    expect(all.flatMap(({ payloads }) => payloads).join('\n')).toContain('Our best');
    for (const { id, json, payloads, searched } of all)
      findsNoSecret(id, [json, ...payloads, ...searched].join('\n'));
    findsNoSecret('progress', JSON.stringify(await held.query('progress')));
    findsNoSecret('details', JSON.stringify(await held.query('__temporal_workflow_metadata')));
  });

  test('is in what the worker wrote at the level debug, or in the server’s log', async () => {
    expect(said.length).toBeGreaterThan(500);
    findsNoSecret('worker', said);
    findsNoSecret('server', await readFile(join(strata.home, 'logs/temporal.log'), 'utf8'));
  });

  test('is in what the worker tells of itself', async () => {
    for (const path of ['metrics', 'readyz', 'healthz']) {
      const body = await (await fetch(`http://${LOOPBACK}:${metricsPort}/${path}`)).text();
      findsNoSecret(path, body);
      if (path === 'metrics') expect(body).toContain('code="SOURCE_REFUSED"');
    }
  });

  test('is in the name of an artifact, a manifest or a kept history', async () => {
    const artifacts = join(strata.home, 'artifacts');
    const files = await filesIn(artifacts);
    findsNoSecret('names', files.join('\n'));
    for (const kind of ['manifest', 'history']) {
      const kept = files.filter((path) => path.includes(`${kind}/`));
      expect(kept.length).toBeGreaterThan(0);
      for (const path of kept) findsNoSecret(path, await readFile(join(artifacts, path), 'utf8'));
    }
    await stop(worker);
  });
});

describe('with keys', () => {
  let before: Set<string>;

  test(
    'a run of npm start ends published, tells its segments, and the server reads nothing of it',
    async () => {
      before = new Set((await historiesSeen(strata.client)).map(({ id }) => id));
      const from = said.length;
      const args = ['--once', '--extract', extract, '--as-of', '2026-06-20'];
      expect(await start('start', args, { STRATA_CODEC_KEYS: OLD_KEY }).code).toBe(0);
      expect(said.slice(from)).toContain('Our best');
      findsNoSecret('npm start', said.slice(from));
      const encrypted = (await historiesSeen(strata.client)).filter(({ id }) => !before.has(id));
      expect(encrypted.map(({ id }) => id)).toContain('segment/shop/2026-06-20');
      for (const { id, payloads, encodings } of encrypted) {
        expect([id, ...encodings]).toEqual([id, 'binary/encrypted']);
        expect(/shop"|Our best|orders\.csv/.exec(payloads.join('\n')), id).toBeNull();
      }
    },
    3 * MINUTES,
  );

  test(
    'that have changed, a worker and a command read it, and what they write is under the new one',
    async () => {
      const both = `${NEW_KEY},${OLD_KEY}`;
      const worker = await startWorker({ STRATA_CODEC_KEYS: both });
      const client = clientWith(both);
      const handle = client.workflow.getHandle('segment/shop/2026-06-20');
      expect(await handle.result()).toMatchObject({ outcome: 'published', pipeline: 'shop' });
      // The worker has to replay the history for it, and answers under the new key.
      expect(await handle.query('progress')).toMatchObject({ outcome: 'published', pipeline: 'shop' });
      const lacking = clientWith(OLD_KEY).workflow.getHandle(handle.workflowId);
      await expect(lacking.query('progress')).rejects.toMatchObject({ code: 'CODEC_KEY_MISSING' });
      expect(await lacking.result()).toMatchObject({ outcome: 'published' });
      // What was written before there were keys is read as it always was.
      expect(await client.workflow.getHandle('segment/privacy/0').query('progress')).toMatchObject({
        outcome: 'published',
      });
      const failed = await run({ pipeline: 'shoop' }, client);
      expect(await endOf(failed)).toContain('PIPELINE_UNKNOWN');
      const { json } = (await historiesSeen(strata.client)).find(({ id }) => id === failed.workflowId)!;
      expect(json).toContain('Encoded failure');
      expect(json).not.toContain('online-retail');
      await stop(worker);
    },
    2 * MINUTES,
  );

  test(
    'histories are kept decrypted, and replay without any',
    async () => {
      const artifacts = join(strata.home, 'artifacts');
      const files = (await filesIn(artifacts)).filter((path) => path.startsWith('history/'));
      const texts = await Promise.all(files.map((path) => readFile(join(artifacts, path), 'utf8')));
      const encrypted = Buffer.from('binary/encrypted').toString('base64');
      expect(texts.filter((text) => text.includes(encrypted))).toEqual([]);
      const ofEncrypted = texts.filter((text) => text.includes('"segment/shop/2026-06-20"'));
      expect(ofEncrypted.length).toBeGreaterThan(0);
      const workflowBundle = await bundleWorkflows();
      for (const text of ofEncrypted) await Worker.runReplayHistory({ workflowBundle }, JSON.parse(text));
    },
    2 * MINUTES,
  );
});
