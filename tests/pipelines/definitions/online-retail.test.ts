import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ExtractSource,
  readWatermark,
  resolveAsOf,
  watermarkSql,
} from '../../../pipelines/stages/extract.ts';
import { extractSql } from '../../../pipelines/stages/extract-sql.ts';
import { deriveColumns } from '../../../pipelines/stages/features.ts';
import { featuresSql } from '../../../pipelines/stages/features-sql.ts';
import { judge } from '../../../pipelines/stages/judge.ts';
import { quarantineSql, readValidation, validationSql } from '../../../pipelines/stages/validate.ts';
import { type LoadedDefinition, loadDefinition } from '../../../store/definitions.ts';
import { openWarehouse, type Warehouse } from '../../../store/warehouse/duckdb.ts';
import { describeSource, inspectFile, sourceSql, typesOf } from '../../../store/warehouse/sources.ts';
import type { TypedColumns } from '../../../store/warehouse/typed-columns.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

const DEFINITIONS = join(import.meta.dirname, '../../../pipelines/definitions');
const REAL_DATA = process.env.STRATA_REAL_DATA;

let loaded: LoadedDefinition;
beforeAll(async () => {
  loaded = await loadDefinition(DEFINITIONS, 'online-retail');
});

it('is a valid definition that clusters recency, orders and spend on log scale', () => {
  expect(loaded.definition.features.cluster).toEqual(
    ['recencyDays', 'orders', 'spend'].map((feature) => ({ feature, transforms: ['log1p', 'standard'] })),
  );
});

it('has bands without a gap and without an overlap, so that every segment has one word of each', () => {
  const { stage, value } = loaded.definition.naming;
  for (const { bands } of [stage, value]) {
    expect(bands[0]!.atLeast).toBeUndefined();
    expect(bands.at(-1)!.below).toBeUndefined();
    expect(bands.slice(1).map((band) => band.atLeast)).toEqual(bands.slice(0, -1).map((band) => band.below));
  }
});

// Expected values: references.json of the real data, made with pandas 3.1.
describe.skipIf(!REAL_DATA)('on the real data', () => {
  let fixture: WarehouseFixture;
  let warehouse: Warehouse;
  let references: References;
  let features: TypedColumns;
  let from: string;

  interface References {
    rfm_quantiles: Record<'R' | 'F' | 'M', Record<string, number>>;
    sample_customers: Record<string, Record<'R' | 'F' | 'M' | 'tenure', number>>;
  }

  beforeAll(async () => {
    fixture = await warehouseFixture();
    references = JSON.parse(await readFile(join(REAL_DATA!, 'references.json'), 'utf8')).online_retail;
    warehouse = await openWarehouse({
      threads: 2,
      memoryLimitMb: 500,
      tempFolder: fixture.path('spill'),
      allowedFolders: [fixture.folder, REAL_DATA!],
    });
    const { definition } = loaded;
    const file = await inspectFile(join(REAL_DATA!, 'online_retail/online_retail.parquet'));
    const { columns } = definition.source;
    const types = typesOf({ ...columns }, await describeSource(warehouse, file), file.name);
    const source: ExtractSource = { from: sourceSql(file), columns, types, name: file.name };
    const watermark = readWatermark((await warehouse.rows(watermarkSql(source)))[0]!);
    const asOf = resolveAsOf(watermark, source, null);
    expect(asOf).toBe('2011-12-10');
    await warehouse.copyToParquet(
      extractSql({ source, contract: definition.contract, asOf }),
      fixture.path('extract.parquet'),
    );
    from = `read_parquet('${fixture.path('extract.parquet')}')`;
    const { aggregate } = definition.features;
    features = await warehouse.columns(featuresSql({ from, contract: definition.contract, aggregate, asOf }));
  }, 60_000);
  afterAll(async () => {
    warehouse.close();
    await fixture.remove();
  });

  it('accounts for every row: 541,909 = 397,884 + 135,080 + 8,905 + 40', async () => {
    const { contract } = loaded.definition;
    const [row] = await warehouse.rows(validationSql({ from, contract }));
    expect(judge(readValidation(row!, contract), loaded.definition)).toEqual({
      verdict: 'pass',
      reasons: [],
      counts: {
        rowsRead: 541_909,
        rowsAccepted: 397_884,
        rowsQuarantined: 144_025,
        quarantinedBy: [
          { rule: 'unreadable-line', rows: 0 },
          { rule: 'without-customer', rows: 135_080 },
          { rule: 'cancellation', rows: 8_905 },
          { rule: 'quantity', rows: 0 },
          { rule: 'without-price', rows: 40 },
          { rule: 'without-date', rows: 0 },
          { rule: 'malformed', rows: 0 },
        ],
        customers: 4_338,
      },
    });
    const { rows } = await warehouse.copyToParquet(
      quarantineSql({ from, contract, refused: 144_025 }),
      fixture.path('quarantine.parquet'),
    );
    expect(rows).toBe(144_025);
  });

  it('sums to the published totals', () => {
    const sum = (name: string) => features.numbers[name]!.reduce((total, value) => total + value, 0);
    expect(features.rows).toBe(4_338);
    expect([sum('recencyDays'), sum('orders'), sum('spendCents')]).toEqual([403_692, 18_532, 891_140_790]);
    expect(features.numbers.orders!.filter((orders) => orders === 1)).toHaveLength(1_493);
  });

  it('has the quantiles of the reference', () => {
    const pounds = features.numbers.spendCents!.map((cents) => cents / 100);
    const columns = { R: features.numbers.recencyDays!, F: features.numbers.orders!, M: pounds };
    for (const [name, quantiles] of Object.entries(references.rfm_quantiles)) {
      const sorted = columns[name as 'R' | 'F' | 'M'].slice().sort();
      for (const [level, expected] of Object.entries(quantiles)) {
        expect(quantileOf(sorted, Number.parseFloat(level) / 100), `${name} ${level}`).toBeCloseTo(
          expected,
          4,
        );
      }
    }
  });

  it('has the values of every customer of the reference', () => {
    const { offsets, bytes } = features.texts.customer_id!;
    const ids = Array.from({ length: features.rows }, (_, row) =>
      new TextDecoder().decode(bytes.subarray(offsets[row], offsets[row + 1])),
    );
    const samples = Object.entries(references.sample_customers);
    expect(samples.length).toBeGreaterThan(5);
    for (const [id, { R, F, M, tenure }] of samples) {
      const row = ids.indexOf(id);
      const { recencyDays, orders, spendCents, tenureDays } = features.numbers;
      expect([recencyDays![row], orders![row], spendCents![row], tenureDays![row]], id).toEqual([
        R,
        F,
        Math.round(M * 100),
        tenure,
      ]);
    }
  });

  it('derives features that are finite for every customer', () => {
    const { columns, replaced } = deriveColumns(features.numbers, loaded.definition.features.derive);
    expect(replaced).toEqual([]);
    const { spend, spendCents, averageOrderCents, orders } = columns;
    expect(spend!.every((pounds, row) => pounds === spendCents![row]! / 100)).toBe(true);
    expect(averageOrderCents!.every((cents, row) => cents === spendCents![row]! / orders![row]!)).toBe(true);
  });
});

/** Linear interpolation, as pandas does. */
function quantileOf(sorted: Float64Array, level: number): number {
  const at = (sorted.length - 1) * level;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low);
}
