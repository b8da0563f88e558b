import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories } from '../../store/postgres/repositories.ts';
import { writeShopExtract } from '../helpers/activity-extract.ts';
import { openStrataHome, type StrataHome, untilProgress } from '../helpers/strata-home.ts';

const WITHIN = { timeout: 60_000, interval: 100 };

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

/** A command of this home, under way: what it has printed so far, and at its end. */
function begin(...args: string[]) {
  const running = promisify(execFile)(process.execPath, ['scripts/launch.mjs', 'strata', ...args], {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, STRATA_HOME: strata.home },
  });
  let said = '';
  running.child.stdout?.on('data', (text: string) => {
    said += text;
  });
  return {
    said: () => stripVTControlCharacters(said),
    ended: running.then(({ stdout }) => stripVTControlCharacters(stdout)),
  };
}

function command(...args: string[]): Promise<string> {
  return begin(...args).ended;
}

test('a run held for review survives its worker, shows no reader anything, and is published by a decision', async () => {
  const extract = await writeShopExtract(folder, { customers: 2_000 });
  const knex = connect(strata.services.databaseUrl);
  try {
    const { runs, publications, memberships } = createRepositories(knex);
    const handle = await strata.startRun({ extract, review: 'always' });
    // Followed from before its first stage, however slowly a command starts.
    const following = begin('show', handle.workflowId, '--follow');
    const waiting = vi.waitFor(() => expect(following.said()).toContain('waits for a worker'), WITHIN);
    // One that fails says why at once, to this test.
    await Promise.race([waiting, following.ended]);
    const worker = await strata.startWorker();
    const { runId } = await untilProgress(handle, ({ outcome }) => outcome === 'held');
    // Ends with 0 when the run is held, having told each stage once and what to do now.
    const followed = await following.ended;
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
