import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Outcome } from '../../../pipelines/contracts/run.ts';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { allRows } from '../../helpers/postgres-rows.ts';
import { assertRepeatable } from '../../helpers/repeatable.ts';
import { artifactRef, newRun, persistRun, publishRun, summary } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;
const snapshot = () => allRows(database.knex);

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  repositories = createRepositories(database.knex);
}, 60_000);

afterAll(() => database?.drop());

beforeEach(() => database.clear());

const closing = (runId: string, outcome: Parameters<typeof summary>[1]) => ({
  outcome,
  verdict: 'stable' as const,
  summary: summary(runId, outcome, ['why']),
  manifest: artifactRef('manifest'),
});
const extract = { asOf: '2026-06-30', watermark: '2026-06-29T23:59:58', rowsRead: 1000 };

describe('opening', () => {
  test('a run opened twice is one run', async () => {
    await assertRepeatable(() => repositories.runs.open(newRun('a')), snapshot);
    expect(await repositories.runs.get('a')).toMatchObject({
      ...newRun('a'),
      asOf: null,
      version: null,
      outcome: null,
      closedAt: null,
    });
  });

  test('a run is found by its workflow execution only', async () => {
    await repositories.runs.open(newRun('a'));
    const { workflow } = newRun('a');
    expect((await repositories.runs.byWorkflow(workflow))?.runId).toBe('a');
    expect(await repositories.runs.byWorkflow({ ...workflow, runId: 'another' })).toBeNull();
  });

  describe('refits around an as-of date', () => {
    const around = (asOf = '2026-06-10') =>
      repositories.runs.refitsAround({ pipeline: 'shop', fittedIn: 'champion', asOf });
    const refit = async (
      runId: string,
      { asOf, outcome, isHeld = false }: { asOf: string; outcome: Outcome | null; isHeld?: boolean },
    ) => {
      const { knex } = database;
      await repositories.runs.open(newRun(runId));
      await repositories.runs.describeExtract(runId, { asOf, watermark: asOf, rowsRead: 1 });
      await knex('runs')
        .where({ run_id: runId })
        .update({
          outcome,
          ...(isHeld && { held_at: knex.fn.now() }),
          ...(outcome !== null && outcome !== 'held' && { closed_at: knex.fn.now() }),
        });
    };
    beforeEach(() => refit('champion', { asOf: '2026-06-01', outcome: 'published' }));

    test('are none beside the one that fitted the model, runs that assigned and other pipelines', async () => {
      await repositories.runs.open({ ...newRun('b'), kind: 'assign' });
      await repositories.runs.open(newRun('c', 'other'));
      expect(await around()).toEqual({ open: null, ofDate: null, turnedDown: null });
    });

    test('one that a person turned down counts whatever was opened after it', async () => {
      await refit('unwanted', { asOf: '2026-06-08', outcome: 'rejected', isHeld: true });
      await refit('aside', { asOf: '2025-06-01', outcome: 'published' });
      await refit('broken', { asOf: '2026-06-09', outcome: 'failed' });
      await refit('refused-data', { asOf: '2026-06-09', outcome: 'rejected' });
      const turnedDown = { runId: 'unwanted', asOf: '2026-06-08', outcome: 'rejected' };
      expect(await around()).toEqual({ open: null, ofDate: null, turnedDown });
      await refit('queued', { asOf: '2026-06-10', outcome: null });
      await refit('newest', { asOf: '2026-06-01', outcome: 'cancelled' });
      expect(await around()).toEqual({ open: { runId: 'queued' }, ofDate: null, turnedDown });
    });

    test('one of before the model was fitted, or of a later date, is not one that was turned down', async () => {
      await refit('of-before', { asOf: '2026-05-31', outcome: 'cancelled' });
      await refit('of-later', { asOf: '2026-06-11', outcome: 'rejected', isHeld: true });
      expect((await around()).turnedDown).toBeNull();
      await refit('champion-2', { asOf: '2026-06-01', outcome: 'published' });
      const later = { pipeline: 'shop', fittedIn: 'champion-2', asOf: '2026-06-12' };
      expect((await repositories.runs.refitsAround(later)).turnedDown).toBeNull();
    });

    test.each([
      ['published', true],
      ['rejected', true],
      ['failed', false],
      ['cancelled', false],
    ] as const)('one of the same date that is %s stands in the way: %s', async (outcome, isThere) => {
      await refit('same', { asOf: '2026-06-10', outcome });
      expect((await around()).ofDate).toEqual(isThere ? { runId: 'same', outcome } : null);
    });

    test('one that is held is open', async () => {
      await refit('held', { asOf: '2026-06-10', outcome: 'held', isHeld: true });
      expect(await around()).toMatchObject({ open: { runId: 'held' }, ofDate: null });
    });
  });

  test('a definition is adopted while the run is open, and not any more once it was cleaned up', async () => {
    await repositories.runs.open({ ...newRun('a'), kind: 'assign' });
    const adopted = { ...artifactRef('definition'), sha256: 'b'.repeat(64) };
    await assertRepeatable(() => repositories.runs.adoptDefinition('a', adopted), snapshot);
    expect((await repositories.runs.get('a')).definition).toEqual(adopted);
    await repositories.cleanUp('a');
    await expect(repositories.runs.adoptDefinition('a', adopted)).rejects.toMatchObject({
      code: 'RUN_ABANDONED',
    });
  });

  test('the list tells the newest first, of one pipeline where asked', async () => {
    for (const [runId, pipeline] of [
      ['a', 'shop'],
      ['b', 'other'],
      ['c', 'shop'],
    ] as const) {
      await repositories.runs.open(newRun(runId, pipeline));
    }
    const ids = async (filter: Parameters<typeof repositories.runs.list>[0]) =>
      (await repositories.runs.list(filter)).map(({ runId }) => runId);
    expect(await ids({ limit: 10 })).toEqual(['c', 'b', 'a']);
    expect(await ids({ limit: 1 })).toEqual(['c']);
    expect(await ids({ pipeline: 'shop', limit: 10 })).toEqual(['c', 'a']);
  });

  test.each(['get', 'earlierOpen'] as const)('%s of a run that is not there says so', async (call) => {
    await expect(repositories.runs[call]('nobody')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
  });
});

describe('order', () => {
  test('a run waits for the oldest earlier one of its pipeline, until all have ended', async () => {
    for (const [runId, pipeline] of [
      ['x', 'other'],
      ['a', 'shop'],
      ['b', 'shop'],
      ['c', 'shop'],
    ] as const) {
      await repositories.runs.open(newRun(runId, pipeline));
    }
    expect(await repositories.runs.earlierOpen('c')).toEqual({ runId: 'a', workflow: newRun('a').workflow });
    expect(await repositories.runs.earlierOpen('a')).toBeNull();
    await repositories.runs.hold('a', summary('a', 'held'));
    expect((await repositories.runs.earlierOpen('c'))?.runId).toBe('a');
    await repositories.runs.close('a', closing('a', 'rejected'));
    expect((await repositories.runs.earlierOpen('c'))?.runId).toBe('b');
    await repositories.cleanUp('b');
    await repositories.runs.close('b', closing('b', 'failed'));
    expect(await repositories.runs.earlierOpen('c')).toBeNull();
  });

  test('of runs opened at the same moment exactly one goes first', async () => {
    const ids = Array.from({ length: 8 }, (_, i) => `run-${i}`);
    const first: string[] = [];
    await Promise.all(
      ids.map(async (runId) => {
        await repositories.runs.open(newRun(runId));
        if ((await repositories.runs.earlierOpen(runId)) === null) first.push(runId);
      }),
    );
    expect(first).toHaveLength(1);
  });
});

describe('the extract', () => {
  test('gives the run its as-of date and version, once', async () => {
    await repositories.runs.open(newRun('a'));
    const described = await assertRepeatable(() => repositories.runs.describeExtract('a', extract), snapshot);
    expect(described).toEqual({ version: 1 });
    expect(await repositories.runs.get('a')).toMatchObject({
      asOf: '2026-06-30',
      version: 1,
      watermark: '2026-06-29T23:59:58.000Z',
      rowsRead: 1000,
    });
  });

  test('of a date that was run before makes a new version, failed runs not counted', async () => {
    const version = async (runId: string, asOf = extract.asOf, pipeline = 'shop') => {
      await repositories.runs.open(newRun(runId, pipeline));
      return (await repositories.runs.describeExtract(runId, { ...extract, asOf })).version;
    };
    expect(await version('a')).toBe(1);
    await repositories.runs.close('a', closing('a', 'rejected'));
    expect(await version('b')).toBe(2);
    await repositories.runs.close('b', closing('b', 'failed'));
    expect(await version('c')).toBe(2);
    expect(await version('d', '2026-07-31')).toBe(1);
    expect(await version('e', extract.asOf, 'other')).toBe(1);
  });
});

describe('the end', () => {
  test('a held run tells its reasons, and held twice is held once', async () => {
    await repositories.runs.open(newRun('a'));
    await assertRepeatable(
      () => repositories.runs.hold('a', summary('a', 'held', ['too many moved'])),
      snapshot,
    );
    expect(await repositories.runs.get('a')).toMatchObject({
      outcome: 'held',
      reasons: ['too many moved'],
      closedAt: null,
    });
  });

  test('a held run that goes on is running again; one that has ended stays as it ended', async () => {
    await repositories.runs.open(newRun('a'));
    await repositories.runs.hold('a', summary('a', 'held', ['too many moved']));
    await assertRepeatable(() => repositories.runs.goOn('a'), snapshot);
    expect(await repositories.runs.get('a')).toMatchObject({
      ...{ outcome: null, reasons: [], heldAt: null, closedAt: null },
    });
    await repositories.runs.close('a', closing('a', 'rejected'));
    await repositories.runs.goOn('a');
    expect((await repositories.runs.get('a')).outcome).toBe('rejected');
  });

  test('the first close stands', async () => {
    await repositories.runs.open(newRun('a'));
    await assertRepeatable(() => repositories.runs.close('a', closing('a', 'rejected')), snapshot);
    expect(await repositories.runs.close('a', closing('a', 'cancelled'))).toBe('rejected');
    await repositories.runs.hold('a', summary('a', 'held'));
    expect(await repositories.runs.get('a')).toMatchObject({
      outcome: 'rejected',
      reasons: ['why'],
      summary: summary('a', 'rejected', ['why']),
      manifest: artifactRef('manifest'),
    });
  });

  test('a published run stays published, whatever went wrong after', async () => {
    await persistRun(repositories, 'a');
    await publishRun(repositories, 'a');
    expect((await repositories.runs.get('a')).outcome).toBe('published');
    await repositories.runs.hold('a', summary('a', 'held'));
    expect(await repositories.runs.close('a', closing('a', 'failed'))).toBe('published');
  });

  test('a run without a publication is not closed as published, nor any as held', async () => {
    await repositories.runs.open(newRun('a'));
    for (const outcome of ['published', 'held'] as const) {
      await expect(repositories.runs.close('a', closing('a', outcome))).rejects.toThrow(RangeError);
    }
    expect((await repositories.runs.get('a')).closedAt).toBeNull();
  });

  test('an abandoned run ends as failed, and holds no one up once it is cleaned up', async () => {
    await persistRun(repositories, 'a');
    await repositories.runs.open(newRun('b'));
    expect(await repositories.runs.abandon('a', 'its workflow is gone')).toBe(true);
    expect((await repositories.runs.earlierOpen('b'))?.runId).toBe('a');
    expect(await repositories.runs.abandon('a', 'again')).toBe(true);
    await repositories.cleanUp('a');
    expect(await repositories.runs.abandon('a', 'again')).toBe(false);
    expect(await repositories.runs.get('a')).toMatchObject({
      outcome: 'failed',
      reasons: ['its workflow is gone'],
    });
    expect(await repositories.runs.earlierOpen('b')).toBeNull();
  });

  test('a run that went away in the middle of its own clean-up is cleaned up again', async () => {
    await persistRun(repositories, 'a');
    await repositories.cleanUp('a');
    expect(await repositories.runs.abandon('a', 'its workflow is gone')).toBe(true);
    expect(await repositories.runs.abandon('a', 'again')).toBe(true);
    expect(await repositories.cleanUp('a')).toBe(true);
    expect(await repositories.runs.abandon('a', 'again')).toBe(false);
  });

  test('a run that closed by itself is not abandoned, however it ended', async () => {
    for (const [runId, outcome] of [
      ['a', 'rejected'],
      ['b', 'failed'],
    ] as const) {
      await persistRun(repositories, runId);
      await repositories.cleanUp(runId);
      await repositories.runs.close(runId, closing(runId, outcome));
      const before = await snapshot();
      expect(await repositories.runs.abandon(runId, 'too late')).toBe(false);
      expect(await snapshot()).toEqual(before);
    }
  });

  test('an abandoned run that was published ends as published', async () => {
    await persistRun(repositories, 'a');
    await publishRun(repositories, 'a');
    await repositories.runs.open(newRun('b'));
    expect(await repositories.runs.abandon('a', 'its workflow is gone')).toBe(false);
    expect((await repositories.runs.get('a')).outcome).toBe('published');
    expect(await repositories.runs.earlierOpen('b')).toBeNull();
  });

  test('a history is kept with its run', async () => {
    await repositories.runs.open(newRun('a'));
    await assertRepeatable(() => repositories.runs.keepHistory('a', artifactRef('history')), snapshot);
    expect((await repositories.runs.get('a')).history).toEqual(artifactRef('history'));
    await expect(repositories.runs.keepHistory('nobody', artifactRef('history'))).rejects.toMatchObject({
      code: 'RUN_UNKNOWN',
    });
  });
});

describe('the run log', () => {
  const stage = {
    runId: 'a',
    stage: 'cluster' as const,
    attempt: 1,
    startedAt: '2026-07-01T06:00:00.000Z',
    ms: 12.5,
    rows: 4338,
    artifact: artifactRef('labels'),
  };

  test('has one row for a stage, with the attempts it took', async () => {
    await repositories.runs.open(newRun('a'));
    await assertRepeatable(() => repositories.stages.record(stage), snapshot);
    await repositories.stages.record({ ...stage, attempt: 3 });
    await repositories.stages.record({ ...stage, attempt: 2, ms: 99 });
    const early = {
      ...stage,
      stage: 'extract' as const,
      startedAt: '2026-07-01T05:00:00.000Z',
      artifact: null,
    };
    await repositories.stages.record(early);
    expect(await repositories.stages.forRun('a')).toEqual([early, { ...stage, attempt: 3 }]);
  });
});
