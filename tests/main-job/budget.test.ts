import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories } from '../../store/postgres/repositories.ts';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';
import { openStrataHome, type StrataHome } from '../helpers/strata-home.ts';

const MINUTES = 60_000;
const KILOBYTE = 1024;
const BUDGET = { history: 200 * KILOBYTE, payload: 64 * KILOBYTE };

let folder: string;
let strata: StrataHome;
let summary: RunSummary;
let historyBytes: number;
let history: temporal.api.history.v1.IHistory;

// The second of two runs: it knows most, since it is compared with the first.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-extracts-'));
  strata = await openStrataHome();
  await strata.startWorker();
  const extract = await writeShopExtract(folder, { customers: 3_000 });
  await (await strata.startRun({ extract, asOf: '2026-06-01' }, 'segment/budget/1')).result();
  const handle = await strata.startRun({ extract }, 'segment/budget/2');
  summary = await handle.result();
  historyBytes = (await handle.describe()).historySize!;
  history = await handle.fetchHistory();
}, 3 * MINUTES);

afterAll(async () => {
  await strata?.close();
  await rm(folder, { recursive: true, force: true });
});

type Payload = { data?: Uint8Array | null };

/** Each activity's payloads, by what they are. */
function payloads(): [string, number][] {
  const names = new Map<string, string>();
  return history.events!.flatMap((event): [string, number][] => {
    const scheduled = event.activityTaskScheduledEventAttributes;
    const completed = event.activityTaskCompletedEventAttributes;
    if (scheduled) names.set(String(event.eventId), scheduled.activityType!.name!);
    const name = names.get(String(completed?.scheduledEventId ?? event.eventId));
    const what = scheduled ? 'input' : 'result';
    const given = (scheduled?.input ?? completed?.result)?.payloads ?? [];
    return given.map((payload: Payload) => [`${what} of ${name}`, payload.data?.byteLength ?? 0]);
  });
}

/** The history as text, with what lies in its payloads readable. */
function readable(): string {
  const text = historyToJSON(history);
  const packed = text.matchAll(/"data": ?"([A-Za-z0-9+/=]*)"/g);
  return [text, ...Array.from(packed, ([, data]) => Buffer.from(data!, 'base64').toString('utf8'))].join(
    '\n',
  );
}

describe('what a run leaves in Temporal', () => {
  test('is less than 200 KB of history', () => {
    expect(summary.outcome).toBe('published');
    expect(historyBytes).toBeGreaterThan(0);
    expect(historyBytes).toBeLessThan(BUDGET.history);
  });

  test('has no input or result of an activity of 64 KB', () => {
    const measured = payloads();
    expect(measured.length).toBeGreaterThan(2 * summary.stages.length);
    for (const [what, bytes] of measured) expect(bytes, what).toBeLessThan(BUDGET.payload);
  });

  test('holds no customer id of the extract, and no password', () => {
    const text = readable();
    // What the search would find if it were there: a segment's id is in the payloads only.
    expect(text).toContain(summary.segments[0]!.segmentId);
    expect(text).not.toContain(ID_MARK);
    const { password } = new URL(strata.services.databaseUrl);
    expect(password.length).toBeGreaterThan(5);
    expect(text).not.toContain(password);
    expect(text).not.toContain(decodeURIComponent(password));
  });

  test('and neither do the run’s record, its outbox and its manifest', async () => {
    const knex = connect(strata.services.databaseUrl);
    try {
      const { memberships } = createRepositories(knex);
      expect(await memberships.count(summary.runId)).toBe(summary.counts.customers);
      const [{ customer_id }] = await knex('memberships').where({ run_id: summary.runId }).limit(1);
      expect(customer_id).toContain(ID_MARK);
      const tables = [
        'runs',
        'run_stages',
        'segments',
        'segment_names',
        'segment_snapshots',
        'outbox',
        'movements',
        'stability_metrics',
      ];
      for (const table of tables) expect(JSON.stringify(await knex(table)), table).not.toContain(ID_MARK);
      const manifest = await readFile(join(strata.home, 'artifacts', summary.manifest!.uri), 'utf8');
      expect(manifest).not.toContain(ID_MARK);
    } finally {
      await knex.destroy();
    }
  });
});
