import { dirname } from 'node:path';
import type { ActivityContext } from '../activities/context.ts';
import { rowsFile } from '../activities/releases.ts';
import { withWarehouse } from '../activities/warehouse.ts';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { quoteText } from '../pipelines/contracts/sql-quote.ts';
import {
  EXAMPLE_OF,
  examplesSql,
  quarantinedRowsSql,
  type RuleCount,
  readRuleCounts,
  ruleCountsSql,
} from '../pipelines/stages/quarantine.ts';
import type { RowsFile } from '../pipelines/stages/releases.ts';
import { decodeJson } from '../store/artifacts/json.ts';
import type { Warehouse } from '../store/warehouse/duckdb.ts';
import { writeJson } from './output-file.ts';
import { explainMissing, type QuarantinedRun } from './quarantine-run.ts';

interface ShowOptions {
  /** Rows that break this rule. */
  rule?: string | undefined;
  /** Rows to show of each rule. */
  limit: number;
  json?: string | undefined;
  csv?: string | undefined;
  parquet?: string | undefined;
}

export interface QuarantineShown {
  runId: string;
  pipeline: string;
  asOf: string | null;
  outcome: string | null;
  rowsRead: number | null;
  rowsQuarantined: number;
  rules: (RuleCount & { reason: string | null })[];
  /** The rows themselves: customers' data. Values as text, null where there is none. */
  examples: { rule: string; rows: Record<string, string | null>[] }[];
}

/** Reads a quarantine, and writes the files that were asked for. */
export async function showQuarantine(
  context: ActivityContext,
  found: QuarantinedRun,
  options: ShowOptions,
): Promise<QuarantineShown> {
  const shown = await withQuarantine(context, found, options.csv ?? options.parquet, async (given) => {
    const { warehouse, quarantine } = given;
    const rules =
      found.quarantine.rows === 0 ? [] : readRuleCounts(await warehouse.rows(ruleCountsSql(quarantine)));
    refuseUnknownRules(options.rule === undefined ? [] : [options.rule], rules, found);
    await exportRows(warehouse, quarantine, options);
    return { rules, examples: await examplesOf(given, rules, options) };
  });
  const { run } = found;
  const reasons = await reasonsOf(context, run.definition);
  const report: QuarantineShown = {
    runId: run.runId,
    pipeline: run.pipeline,
    asOf: run.asOf,
    outcome: run.outcome,
    rowsRead: run.rowsRead,
    rowsQuarantined: found.quarantine.rows,
    rules: shown.rules.map((count) => ({ ...count, reason: reasons.get(count.rule) ?? null })),
    examples: shown.examples,
  };
  await writeJson('--json', options.json, report);
  return report;
}

/** A DuckDB that reads the quarantine, and may write beside `file`. */
export async function withQuarantine<R>(
  context: ActivityContext,
  found: QuarantinedRun,
  file: string | undefined,
  work: (given: { warehouse: Warehouse; quarantine: RowsFile }) => Promise<R>,
): Promise<R> {
  const path = await context.artifacts.path(found.quarantine).catch((error: unknown) => {
    throw explainMissing(error, found);
  });
  return withWarehouse(
    context,
    async (warehouse) => work({ warehouse, quarantine: await rowsFile(warehouse, path) }),
    file === undefined ? [] : [dirname(file)],
  );
}

/** @throws PipelineError INPUT_INVALID with the rules that rows of the run break */
export function refuseUnknownRules(
  asked: readonly string[],
  rules: readonly RuleCount[],
  { run }: QuarantinedRun,
): void {
  const unknown = asked.filter((name) => !rules.some(({ rule }) => rule === name));
  if (unknown.length === 0) return;
  const there =
    rules.length === 0 ? 'it refused none' : `there are ${rules.map(({ rule }) => rule).join(', ')}`;
  throw new PipelineError(
    'INPUT_INVALID',
    `--rule needs a rule by which run ${run.runId} refused rows, found ${unknown.join(', ')}; ${there}`,
  );
}

async function examplesOf(
  { warehouse, quarantine }: { warehouse: Warehouse; quarantine: RowsFile },
  rules: readonly RuleCount[],
  { rule, limit }: ShowOptions,
): Promise<QuarantineShown['examples']> {
  if (rules.length === 0 || limit === 0) return [];
  const shown =
    rule === undefined ? rules.filter(({ first }) => first > 0).map((count) => count.rule) : [rule];
  const sql = examplesSql(quarantine, { rules: shown, limit, broken: rule !== undefined });
  const rows = (await warehouse.rows(sql)) as Record<string, string | null>[];
  return shown.map((name) => ({
    rule: name,
    rows: rows.filter((row) => row[EXAMPLE_OF] === name).map(({ [EXAMPLE_OF]: _, ...row }) => row),
  }));
}

async function exportRows(
  warehouse: Warehouse,
  quarantine: RowsFile,
  { rule, csv, parquet: file }: ShowOptions,
): Promise<void> {
  const sql = (flat: boolean) =>
    quarantinedRowsSql(quarantine, { flat, ...(rule !== undefined && { rule }) });
  if (file !== undefined) await warehouse.copyToParquet(sql(false), file);
  if (csv !== undefined) {
    await warehouse.rows(`COPY (${sql(true)}) TO ${quoteText(csv)} (FORMAT csv, HEADER)`);
  }
}

/** What the contract says of each rule, as it was when the run was opened; of a run that was cleared away nothing. */
async function reasonsOf({ artifacts }: ActivityContext, ref: ArtifactRef): Promise<Map<string, string>> {
  try {
    const { contract } = decodeJson(await artifacts.read(ref)) as Definition;
    return new Map(contract.rules.map(({ name, reason }) => [name, reason]));
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'ARTIFACT_MISSING') return new Map();
    throw error;
  }
}
