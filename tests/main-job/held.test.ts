import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories } from '../../store/postgres/repositories.ts';
import { writeShopExtract } from '../helpers/activity-extract.ts';
import { openStrataHome, type StrataHome, untilProgress } from '../helpers/strata-home.ts';

let folder: string;
let strata: StrataHome;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-extracts-'));
  strata = await openStrataHome({ fewTrials: true });
}, 60_000);

afterAll(async () => {
  await strata?.close();
  await rm(folder, { recursive: true, force: true });
});

/** What a command prints. */
async function command(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/launch.mjs', 'strata', ...args], {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, STRATA_HOME: strata.home },
  });
  return stripVTControlCharacters(stdout);
}

test('a run held for review survives its worker, shows no reader anything, and is published by a decision', async () => {
  const extract = await writeShopExtract(folder, { customers: 2_000 });
  const worker = await strata.startWorker();
  const knex = connect(strata.services.databaseUrl);
  try {
    const { runs, publications, memberships } = createRepositories(knex);
    const handle = await strata.startRun({ extract, review: 'always' });
    const following = command('show', handle.workflowId, '--follow');
    const { runId } = await untilProgress(handle, ({ outcome }) => outcome === 'held');
    // Ends with 0 when the run is held, having told each stage once and what to do now.
    const followed = await following;
    expect(followed.match(/^✓ \w+ · .*\(.* s\)$/gm)).toHaveLength(9);
    expect(followed).toMatch(
      /^⏸ waits for a person's review; then the definition says reject, until .*Z: npm run/m,
    );
    expect(followed).toMatch(new RegExp(`^⏸ held for review {2}shop as of .* ${runId}$`, 'm'));
    await worker.kill();

    const held = await runs.get(runId!);
    expect(held).toMatchObject({ outcome: 'held', closedAt: null });
    expect(held.summary).toMatchObject({ outcome: 'held', runId });
    expect(held.summary!.segments.length).toBeGreaterThanOrEqual(3);
    expect(await publications.current('shop')).toBeNull();

    const short = runId!.slice('run_'.length, 'run_'.length + 8);
    const reviewed = await command('review', short, 'publish', '--note', 'looked at the names');
    expect(reviewed).toContain('✓ published');
    const summary = await handle.result();
    expect(summary).toMatchObject({
      outcome: 'published',
      reasons: ['review: publish (looked at the names)'],
    });
    expect((await publications.current('shop'))?.runId).toBe(runId);
    expect(await memberships.count(runId!)).toBe(summary.counts.customers);
    expect((await publications.ofRun(runId!))?.review).toContain('looked at the names');
  } finally {
    await knex.destroy();
  }
}, 180_000);
