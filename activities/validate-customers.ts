import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { Contract } from '../pipelines/contracts/contract.ts';
import type { Run, TableCounts } from '../pipelines/contracts/run.ts';
import type { Extract } from '../pipelines/contracts/stages.ts';
import { customersContract, judgeCustomers } from '../pipelines/stages/customers.ts';
import type { Judgement } from '../pipelines/stages/judge.ts';
import { quarantineSql, readValidation, validationSql } from '../pipelines/stages/validate.ts';
import type { Warehouse } from '../store/warehouse/duckdb.ts';
import type { ActivityContext } from './context.ts';
import { parquet } from './warehouse.ts';

export interface CustomersVerdict extends Pick<Judgement, 'verdict' | 'reasons'> {
  table: TableCounts;
  quarantine: ArtifactRef;
  report: object;
}

/** The customers' table against its rules -> its counts, and its refused rows kept with their reasons. */
export async function validateCustomers(
  { artifacts }: ActivityContext,
  given: {
    run: Run;
    customers: NonNullable<Extract['customers']>;
    contract: Contract;
    warehouse: Warehouse;
    signal: AbortSignal;
  },
): Promise<CustomersVerdict> {
  const { run, customers, warehouse, signal } = given;
  const contract = customersContract(given.contract);
  const from = parquet(await artifacts.path(customers.artifact));
  const [row] = await warehouse.rows(validationSql({ from, contract, table: 'customers' }), { signal });
  const counts = readValidation(row!, contract);
  const judged = judgeCustomers(counts, contract);
  const refused = counts.rows - counts.accepted;
  const kept = quarantineSql({ from, contract, refused });
  const quarantine = await artifacts.take('quarantine', { runId: run.runId, ending: 'parquet' }, (path) =>
    warehouse.copyToParquet(kept, path, { signal, hasLists: true }),
  );
  const rules = counts.rules.map((rule, i) => ({ ...rule, check: contract.rules[i]!.check }));
  const { table } = judged;
  // The run's log names the quarantine of the transactions alone: the report is where a person finds this one.
  const report = { ...table, quarantine: quarantine.uri, malformedRows: counts.malformed, rules };
  return { ...judged, quarantine, report };
}

const WORST_FIRST = ['fail', 'warn', 'pass'] as const;

/** One verdict of both tables. */
export function withTable(judgement: Judgement, { verdict, reasons, table }: CustomersVerdict): Judgement {
  return {
    verdict: WORST_FIRST.find((one) => one === judgement.verdict || one === verdict)!,
    reasons: [...judgement.reasons, ...reasons],
    counts: { ...judgement.counts, tables: [table] },
  };
}
