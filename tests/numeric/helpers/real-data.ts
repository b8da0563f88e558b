import { DuckDBInstance } from '@duckdb/node-api';
import { type Matrix, matrixFromColumns } from '../../../numeric/matrix.ts';
import { applyTransform, fitTransform } from '../../../numeric/statistics/transforms.ts';

/** Folder of the real data sets; unset = tests on them are skipped. */
export const realData = process.env.STRATA_REAL_DATA;

/** Recency, frequency and spend of the Online Retail customers, by ascending id (recipe: REFERENCES.md there). */
export async function onlineRetailRfm(): Promise<Float64Array[]> {
  const rows = await query(`
    with lines as (
      select CustomerID as customer, InvoiceNo as invoice, InvoiceDate as ordered_at, Quantity * UnitPrice as amount
      from '${realData}/online_retail/online_retail.parquet'
      where CustomerID is not null and InvoiceNo not like 'C%' and Quantity > 0 and UnitPrice > 0
    ), bounds as (select date_trunc('day', max(ordered_at)) + interval 1 day as as_of from lines)
    select date_diff('day', date_trunc('day', max(ordered_at)), (select as_of from bounds))::double as recency,
      count(distinct invoice)::double as frequency, round(sum(amount), 2)::double as spend
    from lines group by customer order by customer`);
  return [0, 1, 2].map((j) => Float64Array.from(rows, (row) => Number(row[j])));
}

/** log1p, then standard scaling. */
export async function onlineRetailFeatures(): Promise<Matrix> {
  const columns = await onlineRetailRfm();
  return matrixFromColumns(
    columns.map((column) => {
      const logged = applyTransform(fitTransform('log1p', column), column);
      return applyTransform(fitTransform('standard', logged), logged);
    }),
  );
}

/** Annual income (k$) and spending score of the Mall customers, unscaled. */
export async function mallCustomers(): Promise<Matrix> {
  const rows = await query(
    `select annual_income_thousands, spending_score from '${realData}/mall_customers/Mall_Customers.csv'`,
  );
  return matrixFromColumns([0, 1].map((j) => rows.map((row) => Number(row[j]))));
}

async function query(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRows() as unknown[][];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
