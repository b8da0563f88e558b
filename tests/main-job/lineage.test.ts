import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';
import { type LineageReceiver, startLineageReceiver } from '../helpers/lineage-receiver.ts';
import { openStrataHome, type StrataHome } from '../helpers/strata-home.ts';

// One Strata whose worker tells OpenLineage of its run, to a receiver that is out until the run has ended.

const MINUTES = 60_000;
const API_KEY = 'planted-lineage-key';

let folder: string;
let strata: StrataHome;
let receiver: LineageReceiver;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-lineage-'));
  receiver = await startLineageReceiver();
  strata = await openStrataHome({ fewTrials: true });
}, 5 * MINUTES);
afterAll(async () => {
  await strata?.close();
  await receiver?.close();
  await rm(folder, { recursive: true, force: true });
});

test(
  'a run is published while the receiver is out, which is told of it once and in order when it is back',
  async () => {
    const extract = await writeShopExtract(folder, { customers: 400 });
    receiver.answer(503);
    const worker = await strata.startWorker({
      env: {
        OPENLINEAGE_URL: receiver.url,
        OPENLINEAGE_API_KEY: API_KEY,
        OPENLINEAGE_NAMESPACE: 'shops',
      },
    });
    let said = '';
    worker.child.stderr!.on('data', (text: string) => {
      said += text;
    });
    const handle = await strata.startRun({ extract });
    const summary = await handle.result();
    expect(summary.outcome).toBe('published');
    expect(receiver.events).toEqual([]);
    receiver.answer(201);
    for (let i = 0; i < 1_500 && receiver.events.length < 2; i += 1) await sleep(100);
    expect(receiver.events.map(({ eventType, run, job }) => [eventType, run.runId, job.name])).toEqual([
      ['START', summary.workflow.runId, 'shop'],
      ['COMPLETE', summary.workflow.runId, 'shop'],
    ]);
    const { pathname, hostname, port } = new URL(strata.services.databaseUrl);
    const [, ended] = receiver.events;
    expect(ended!.inputs).toMatchObject([{ namespace: 'file', name: extract }]);
    expect(ended!.outputs).toMatchObject([
      { namespace: 'strata://shops', name: 'shop/features' },
      {
        namespace: `postgres://${hostname}:${port}`,
        name: `${pathname.slice(1)}.public.published_memberships`,
        outputFacets: { outputStatistics: { rowCount: summary.counts.customers } },
      },
      { outputFacets: { outputStatistics: { rowCount: summary.segments.length } } },
    ]);
    const { password } = new URL(strata.services.databaseUrl);
    const sent = receiver.requests.map(({ body }) => body).join('\n');
    for (const secret of [ID_MARK, API_KEY, ...(password ? [`:${password}@`] : [])]) {
      expect(sent).not.toContain(secret);
      expect(said).not.toContain(secret);
    }
  },
  5 * MINUTES,
);
