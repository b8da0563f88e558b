import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parquet, withWarehouse } from '../../activities/warehouse.ts';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { Run, StartInput } from '../../pipelines/contracts/run.ts';
import type { Extract, Validation } from '../../pipelines/contracts/stages.ts';
import type { Manifest } from '../../pipelines/stages/manifest.ts';
import { releaseRows } from '../../scripts/quarantine-release.ts';
import { findQuarantine } from '../../scripts/quarantine-run.ts';
import { showQuarantine } from '../../scripts/quarantine-show.ts';
import { decodeJson } from '../../store/artifacts/json.ts';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { publishWalked, walkToStability } from '../helpers/activity-walk.ts';
import { assertRepeatable } from '../helpers/repeatable.ts';

// Of one shop, in order: a run, a release, runs with it, its end.

const RULE = 'without-price';

let shop: ActivityShop;
/** The whole books, and the same without the rows that are released: what an incremental source brings next. */
let source: string;
let later: string;
let first: Walked;

interface Walked {
  run: Run;
  extract: Extract;
  validation: Validation;
}

beforeAll(async () => {
  shop = await openActivityShop();
  const { scratchFolder } = shop.context;
  source = await writeShopExtract(scratchFolder, { customers: 400 });
  later = join(scratchFolder, 'later.parquet');
  await inWarehouse((warehouse) =>
    warehouse.copyToParquet(`SELECT * FROM '${source}' WHERE unit_price > 0`, later),
  );
  first = await walkToValidation({ extract: source });
}, 60_000);

afterAll(() => shop?.close());

const inWarehouse: <R>(work: Parameters<typeof withWarehouse<R>>[1]) => Promise<R> = (work) =>
  withWarehouse(shop.context, work);

async function walkToValidation(input: StartInput): Promise<Walked> {
  const { execution: workflow } = await shop.openWorkflow();
  const { run: opened } = await shop.perform('openRun', { input, workflow, scheduledAt: null });
  const extract = await shop.perform('extractCustomers', { run: opened });
  const run = { ...opened, asOf: extract.asOf };
  return { run, extract, validation: await shop.perform('validateExtract', { run, extract }) };
}

const quarantineOf = ({ run }: Walked) => findQuarantine(shop.context.repositories, { run: run.runId });

async function release(walked: Walked, rules = [RULE], where: string | null = null) {
  const options = { rules, where, note: null, author: 'ada', dryRun: false };
  return releaseRows(shop.context, await quarantineOf(walked), options);
}

const refusedBy = ({ validation }: Walked, rule: string) =>
  validation.counts.quarantinedBy.find((count) => count.rule === rule)!.rows;

async function relation(ref: ArtifactRef, columns = '*'): Promise<string> {
  return `SELECT ${columns} FROM ${parquet(await shop.context.artifacts.path(ref))}`;
}

async function count(sql: string): Promise<number> {
  const [row] = await inWarehouse((warehouse) => warehouse.rows(`SELECT count(*) AS rows FROM (${sql})`));
  return Number(row!.rows);
}

/** Accepted rows: of the extract, without as many equal ones as the quarantine has. */
async function acceptedSql({ extract, validation }: Walked): Promise<string> {
  const columns = '* EXCLUDE (is_duplicate, is_released)';
  const has = (walked: boolean) => (walked ? columns : '* EXCLUDE (is_duplicate)');
  const marked = extract.rowsReleased !== undefined;
  const refused = await relation(
    validation.quarantine,
    has(marked).replace('(', '(refused_by, broken_rules, '),
  );
  return `(${await relation(extract.artifact, has(marked))}) EXCEPT ALL (${refused})`;
}

function expectAddedUp({ extract, validation }: Walked): void {
  const { rowsRead, rowsAccepted, rowsQuarantined, quarantinedBy } = validation.counts;
  expect(rowsRead).toBe(extract.rowsRead);
  expect(rowsAccepted + rowsQuarantined).toBe(rowsRead);
  expect(quarantinedBy.reduce((sum, { rows }) => sum + rows, 0)).toBe(rowsQuarantined);
  expect(validation.quarantine.rows).toBe(rowsQuarantined);
}

describe('without a release', () => {
  test('a run says so, and its extract has no mark', async () => {
    expect(first.run.releases).toBeNull();
    expect(first.extract).not.toHaveProperty('rowsReleased');
    expect(first.validation.counts).not.toHaveProperty('rowsReleased');
    expectAddedUp(first);
    expect(refusedBy(first, RULE)).toBeGreaterThan(10);
  });

  test('the quarantine of a run is found by its log, and shows what validation counted', async () => {
    const found = await quarantineOf(first);
    expect(found.quarantine).toEqual(first.validation.quarantine);
    const { rules, examples, rowsQuarantined } = await showQuarantine(shop.context, found, { limit: 2 });
    expect(rowsQuarantined).toBe(first.validation.counts.rowsQuarantined);
    const counted = first.validation.counts.quarantinedBy.filter(({ rows }) => rows > 0);
    expect(Object.fromEntries(rules.map((rule) => [rule.rule, rule.first]))).toEqual(
      Object.fromEntries(counted.map(({ rule, rows }) => [rule, rows])),
    );
    for (const { all, first: firstRows } of rules) expect(all).toBeGreaterThanOrEqual(firstRows);
    expect(examples.map(({ rows }) => rows.length)).toEqual(
      rules.filter(({ first: rows }) => rows > 0).map(({ first: rows }) => Math.min(2, rows)),
    );
  });
});

describe('a release', () => {
  test('that is tried dry changes nothing and counts what the real one does', async () => {
    const before = await shop.snapshot();
    const options = { rules: [RULE], where: null, note: null, author: 'ada', dryRun: true };
    const dry = await releaseRows(shop.context, await quarantineOf(first), options);
    expect(await shop.snapshot()).toEqual(before);
    expect(dry.release).toBeNull();
    const { release: made, isNew, ...account } = await release(first);
    expect(isNew).toBe(true);
    expect({ ...account, release: null, isNew: false }).toEqual(dry);
    expect(made).toMatchObject({ rows: account.rows, author: 'ada', runId: first.run.runId, rules: [RULE] });
    expect(account.chosen).toBe(account.rows + account.heldBack.reduce((sum, { rows }) => sum + rows, 0));
  });

  test('made twice is one', async () => {
    await assertRepeatable(
      async () => {
        const { isNew: _, ...made } = await release(first);
        return made;
      },
      () => shop.snapshot(),
    );
    expect(await shop.context.repositories.releases.list()).toHaveLength(1);
  });

  test('of rules and conditions that choose nothing says what there is', async () => {
    await expect(release(first, ['no-such-rule'])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/found no-such-rule; there are .*without-price/) as string,
    });
    await expect(release(first, [RULE], 'quantity < -1e6')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(release(first, [RULE], 'customer = 1')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/^--where failed/) as string,
    });
    await expect(release(first, ['without-customer'])).rejects.toMatchObject({
      message: expect.stringMatching(/none of the \d+ chosen rows .* without a customer/) as string,
    });
  });
});

describe('the next run', () => {
  let released: number;
  let next: Walked;
  beforeAll(async () => {
    released = (await release(first)).rows;
    next = await walkToValidation({ extract: source });
  }, 60_000);

  test('accepts exactly the released rows more, and its counts add up', async () => {
    expectAddedUp(next);
    expect(next.extract.rowsRead).toBe(first.extract.rowsRead);
    expect(next.extract.rowsAfterAsOf).toBe(first.extract.rowsAfterAsOf);
    expect(next.validation.counts.rowsAccepted).toBe(first.validation.counts.rowsAccepted + released);
    expect(next.validation.counts.rowsReleased).toBe(next.extract.rowsReleased);
    expect(refusedBy(next, RULE)).toBe(refusedBy(first, RULE) - released);
    const [before, after] = [await acceptedSql(first), await acceptedSql(next)];
    const [made] = await shop.context.repositories.releases.active('shop');
    const rows = await relation(made!.artifact);
    expect(await count(`((${after}) EXCEPT ALL (${before})) EXCEPT ALL (${rows})`)).toBe(0);
    expect(await count(`(${after}) EXCEPT ALL (${before})`)).toBe(released);
    expect(await count(`(${before}) EXCEPT ALL (${after})`)).toBe(0);
  });

  test('is opened and read again with the same result, and nothing more is left', async () => {
    const { execution: workflow } = await shop.openWorkflow();
    const opening = { input: { extract: source }, workflow, scheduledAt: null };
    const { run } = await assertRepeatable(
      () => shop.perform('openRun', opening),
      () => shop.snapshot(),
    );
    expect(run.releases).toMatchObject({ kind: 'release', sha256: next.run.releases!.sha256 });
    const extracted = async () => {
      await shop.forgetSteps(run.runId);
      const { ms: _, ...extract } = await shop.perform('extractCustomers', { run });
      return extract;
    };
    const extract = await assertRepeatable(extracted, async () => {
      const { rows, files } = await shop.snapshot();
      return { rows, files: files.filter((file) => !file.startsWith('.steps/')) };
    });
    expect(extract.artifact).toEqual(next.extract.artifact);
  });

  test('keeps what it makes apart from what it would make without them', async () => {
    const { releases: _, ...older } = next.run;
    const without = await shop.perform('extractCustomers', { run: { ...older, asOf: null } });
    const withThem = await shop.perform('extractCustomers', {
      run: { ...older, asOf: null, releases: next.run.releases! },
    });
    expect(without.artifact.sha256).toBe(first.extract.artifact.sha256);
    expect(withThem.artifact.sha256).toBe(next.extract.artifact.sha256);
  });

  test('is told of them as a reference: no row goes through a payload', () => {
    expect(JSON.stringify(next)).not.toContain(ID_MARK);
    expect(JSON.stringify(next.run).length).toBeLessThan(2_000);
  });

  test('goes through every stage with them, up to a manifest that names them', async () => {
    const walked = await walkToStability(shop, { extract: source });
    const { outcome, manifest } = await publishWalked(shop, walked);
    expect(outcome).toBe('published');
    const { repositories, artifacts } = shop.context;
    const { manifest: ref } = await repositories.runs.get(walked.run.runId);
    expect(ref!.sha256).toBe(manifest!.sha256);
    const told = decodeJson(await artifacts.read(ref!)) as Manifest;
    expect(told.releases).toBe(walked.run.releases!.sha256);
    expect(told.counts.rowsReleased).toBe(next.extract.rowsReleased);
  }, 60_000);

  test('of a comparison has them, too', async () => {
    const { execution: workflow } = await shop.openWorkflow();
    const { run } = await shop.perform('openComparison', {
      input: { extract: source },
      workflow,
      scheduledAt: null,
    });
    expect(run.releases!.sha256).toBe(next.run.releases!.sha256);
    const extract = await shop.perform('extractForComparison', { run });
    const validation = await shop.perform('validateForComparison', { run, extract });
    expect(validation.counts).toEqual(next.validation.counts);
  });

  test('of a source that does not bring them gets them once', async () => {
    const incremental = await walkToValidation({ extract: later });
    expectAddedUp(incremental);
    const brought = await count(`SELECT 1 FROM '${later}'`);
    expect(incremental.extract.rowsRead).toBe(brought - incremental.extract.rowsAfterAsOf + released);
    expect(incremental.extract.rowsReleased).toBe(released);
    expect(incremental.validation.counts.rowsAccepted).toBe(next.validation.counts.rowsAccepted);
    const [left, right] = [await acceptedSql(incremental), await acceptedSql(next)];
    expect(await count(`(${left}) EXCEPT ALL (${right})`)).toBe(0);
  });

  test('as of a past date gets none that was ordered after it', async () => {
    const asOf = '2026-01-01';
    const past = await walkToValidation({ extract: later, asOf });
    expectAddedUp(past);
    const [made] = await shop.context.repositories.releases.active('shop');
    const before = await count(`${await relation(made!.artifact)} WHERE ordered_at < DATE '${asOf}'`);
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(released);
    expect(past.extract.rowsReleased).toBe(before);
    expect(await count(`${await relation(past.extract.artifact)} WHERE ordered_at >= DATE '${asOf}'`)).toBe(
      0,
    );
  });

  test('has them whatever became of the run they were refused in', async () => {
    const closing = { ...nothingKnown(first.run), outcome: 'failed' as const, reasons: ['a fault'] };
    await shop.perform('closeRun', { run: first.run, closing });
    await expect(
      quarantineOf(first).then((found) => showQuarantine(shop.context, found, { limit: 1 })),
    ).rejects.toMatchObject({
      code: 'ARTIFACT_MISSING',
      message: expect.stringMatching(/ended as failed keeps none/) as string,
    });
    const after = await walkToValidation({ extract: source });
    expect(after.validation.counts).toEqual(next.validation.counts);
  });
});

describe('a release that is revoked', () => {
  test('leaves the rows refused again, and what ran with it as it was', async () => {
    const { releases } = shop.context.repositories;
    const [made] = await releases.active('shop');
    await releases.revoke(made!.releaseId, 'ada');
    const again = await walkToValidation({ extract: source });
    expect(again.run.releases).toBeNull();
    expect(again.extract.artifact.sha256).toBe(first.extract.artifact.sha256);
    expect(again.validation.counts).toEqual(first.validation.counts);
  });

  test('whose rows are lost stops no run; one in force does, and says how to go on', async () => {
    const walked = await walkToValidation({ extract: source });
    const { release: made } = await release(walked, ['without-price']);
    await rm(join(shop.context.artifactsFolder, made!.artifact.uri));
    await expect(walkToValidation({ extract: source })).rejects.toMatchObject({
      type: 'ARTIFACT_MISSING',
      message: expect.stringContaining(`quarantine revoke ${made!.releaseId}`) as string,
    });
    await shop.context.repositories.releases.revoke(made!.releaseId, 'ada');
    expect((await walkToValidation({ extract: source })).run.releases).toBeNull();
  });
});

function nothingKnown({ runId, kind, pipeline, asOf, workflow }: Run) {
  const counts = { rowsRead: 0, rowsAccepted: 0, rowsQuarantined: 0, quarantinedBy: [], customers: 0 };
  return {
    runId,
    kind,
    pipeline,
    asOf,
    workflow,
    counts,
    verdict: null,
    k: null,
    segments: [],
    quality: null,
    stages: [],
  };
}
