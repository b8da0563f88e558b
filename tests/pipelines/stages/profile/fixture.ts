import type { Contract } from '../../../../pipelines/contracts/contract.ts';
import type { FeatureSettings } from '../../../../pipelines/contracts/definition.ts';
import { measureProfile, type Relation } from '../../../../pipelines/stages/profile/measure.ts';
import type {
  FigureProfile,
  ProfileReport,
  WordProfile,
} from '../../../../pipelines/stages/profile/report.ts';
import type { Warehouse } from '../../../../store/warehouse/duckdb.ts';

export const CONTRACT: Contract = {
  version: 1,
  rules: [
    {
      name: 'without-customer',
      check: 'customer_id IS NOT NULL',
      severity: 'reject',
      reason: 'nobody can be found',
    },
    {
      name: 'no-pieces',
      check: 'quantity > 0 -- pieces',
      severity: 'fail',
      reason: 'nothing was sold',
    },
    { name: 'odd', check: 'unit_price < 100', severity: 'warn', reason: 'the price is high' },
  ],
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};

export const FEATURES: FeatureSettings = {
  aggregate: [
    { name: 'orders', unit: 'orders', why: 'w', sql: 'count(DISTINCT order_id)' },
    { name: 'spendCents', unit: 'cents', why: 'w', sql: 'CAST(round(sum(amount), 2) * 100 AS BIGINT)' },
  ],
  derive: [{ name: 'spend', unit: 'EUR', why: 'w', expression: 'd.spendCents / 100' }],
  cluster: [
    { feature: 'orders', transforms: ['standard'] },
    { feature: 'spend', transforms: ['log1p', 'standard'] },
  ],
};

export async function profileOf(
  warehouse: Warehouse,
  from: string,
  given: Partial<Relation> & {
    features?: FeatureSettings;
    onProgress?: (done: number, of: number) => void;
  } = {},
): Promise<ProfileReport> {
  const { features = FEATURES, onProgress, ...relation } = given;
  return measureProfile(
    {
      rows: (sql) => warehouse.rows(sql),
      numbers: async (sql) => (await warehouse.columns(sql)).numbers,
    },
    { from, contract: CONTRACT, asOf: '2026-04-01', rowNumber: null, ...relation },
    {
      ...{ title: 'Books', currency: 'EUR', timezone: 'UTC', watermark: '2026-03-31T23:59:00', features },
      ...(onProgress && { onProgress }),
    },
  );
}

export function figureIn(report: ProfileReport, name: string): FigureProfile {
  const column = report.columns.find((own) => own.name === name);
  if (column?.kind !== 'figure') throw new Error(`${name} needs to be a figure, found ${column?.kind}`);
  return column;
}

export function wordsIn(report: ProfileReport, name: string): WordProfile {
  const column = report.columns.find((own) => own.name === name);
  if (column?.kind !== 'word') throw new Error(`${name} needs to be words, found ${column?.kind}`);
  return column;
}

/** A shop of some hundred customers that buy on weekdays, with the faults of `extra` rows beside it. */
export function shopSql({ rows = 6_000, extra = '' }: { rows?: number; extra?: string } = {}): string {
  return `(SELECT customer_id, order_id, CAST(ordered_at AS TIMESTAMP) AS ordered_at, CAST(quantity AS BIGINT) AS quantity,
  CAST(unit_price AS DECIMAL(18,4)) AS unit_price, category, country,
  CAST(quantity * unit_price AS DECIMAL(18,4)) AS amount, malformed FROM (
    SELECT 'c' || (hash(range) % 300) AS customer_id, 's' || (range // 3) AS order_id,
      TIMESTAMP '2026-01-05 09:00:00' + to_days(CAST((range % 60) // 5 * 7 + range % 5 AS INTEGER)) + to_minutes(CAST(range % 500 AS BIGINT)) AS ordered_at,
      1 + hash(range, 1) % 9 AS quantity, CAST(1 + hash(range, 2) % 400 AS DECIMAL(18,4)) / 10 AS unit_price,
      (20000 + hash(range, 3) % 60) || 'A' AS category, 'DE' AS country, CAST(NULL AS VARCHAR) AS malformed
    FROM range(${rows})
    ${extra}))`;
}
