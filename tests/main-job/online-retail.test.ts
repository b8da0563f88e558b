import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readValues } from '../../activities/columns.ts';
import type { NamesFile } from '../../activities/name.ts';
import { quantiles } from '../../numeric/statistics/quantile.ts';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import { checkCondition } from '../../pipelines/stages/name-evidence.ts';
import { createDiskArtifacts } from '../../store/artifacts/disk-artifacts.ts';
import { openStrataHome, type StrataHome } from '../helpers/strata-home.ts';

const DATA = process.env.STRATA_REAL_DATA;

/** Fixed reference values: pandas 3.1, numpy 2.4 on the same file. */
interface References {
  rfm_sum: { R: number; F: number; M: number };
  rfm_quantiles: Record<'R' | 'F' | 'M', Record<string, number>>;
}

describe.skipIf(!DATA)('the main job on Online Retail', () => {
  let strata: StrataHome;
  let summary: RunSummary;
  let references: References;

  beforeAll(async () => {
    strata = await openStrataHome();
    await strata.startWorker();
    const extract = join(DATA!, 'online_retail/online_retail.parquet');
    summary = await (await strata.startRun({ pipeline: 'online-retail', extract })).result();
    references = JSON.parse(await readFile(join(DATA!, 'references.json'), 'utf8')).online_retail;
  }, 180_000);

  afterAll(() => strata?.close());

  test('every row is accepted or refused for a reason', () => {
    expect(summary).toMatchObject({ outcome: 'published', asOf: '2011-12-10' });
    expect(summary.counts).toMatchObject({
      rowsRead: 541_909,
      rowsAccepted: 397_884,
      rowsQuarantined: 135_080 + 8_905 + 40,
      customers: 4_338,
    });
    expect(summary.counts.quarantinedBy.filter(({ rows }) => rows > 0)).toEqual([
      { rule: 'without-customer', rows: 135_080 },
      { rule: 'cancellation', rows: 8_905 },
      { rule: 'without-price', rows: 40 },
    ]);
  });

  test('recency, frequency and money are the reference values', async () => {
    const artifacts = createDiskArtifacts({ root: join(strata.home, 'artifacts') });
    const stored = await artifacts.list('features');
    const { recencyDays, orders, spendCents } = await readValues(artifacts, stored[0]!);
    const sum = (column: Float64Array) => column.reduce((total, value) => total + value, 0);
    expect(sum(recencyDays!)).toBe(references.rfm_sum.R);
    expect(sum(orders!)).toBe(references.rfm_sum.F);
    expect(sum(spendCents!)).toBe(Math.round(references.rfm_sum.M * 100));
    for (const [name, column] of [
      ['R', recencyDays!],
      ['F', orders!],
      ['M', spendCents!.map((cents) => cents / 100)],
    ] as const) {
      const expected = Object.entries(references.rfm_quantiles[name]);
      const found = quantiles(
        column,
        expected.map(([share]) => Number.parseFloat(share) / 100),
      );
      for (const [i, [, value]] of expected.entries()) expect(found[i]!).toBeCloseTo(value, 6);
    }
  });

  test('there are at least three segments of at least 2 %, no two with one name', () => {
    expect(summary.segments.length).toBeGreaterThanOrEqual(3);
    for (const { share } of summary.segments) expect(share).toBeGreaterThanOrEqual(0.02);
    expect(new Set(summary.segments.map(({ name }) => name.toLowerCase())).size).toBe(
      summary.segments.length,
    );
    expect(summary.segments.reduce((total, { customers }) => total + customers, 0)).toBe(4_338);
  });

  test('every word of a name is backed by the segment’s figures', async () => {
    const artifacts = createDiskArtifacts({ root: join(strata.home, 'artifacts') });
    const [stored] = await artifacts.list('names');
    const { names, profiles } = JSON.parse((await artifacts.read(stored!)).toString()) as NamesFile;
    for (const { name, cluster, condition, evidence } of names) {
      const words = evidence.map(({ word }) => word).join(' ');
      expect(words.toLowerCase()).toBe(name.toLowerCase());
      expect(checkCondition(condition, profiles.segments[cluster]!)).toBe(true);
      for (const { findings } of evidence) {
        expect(findings.length).toBeGreaterThan(0);
        for (const { value, atLeast, atMost, below } of findings) {
          expect(value).not.toBeNull();
          if (atLeast !== undefined) expect(value).toBeGreaterThanOrEqual(atLeast);
          if (atMost !== undefined) expect(value).toBeLessThanOrEqual(atMost);
          if (below !== undefined) expect(value).toBeLessThan(below);
        }
      }
    }
  });
});
