import type { ActivityContext } from '../activities/context.ts';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { readRuleCounts, ruleCountsSql } from '../pipelines/stages/quarantine.ts';
import {
  type Choice,
  choiceCountsSql,
  conditionSql,
  HELD_BACK,
  type HeldBack,
  otherRulesSql,
  releasedRowsSql,
} from '../pipelines/stages/releases.ts';
import type { ReleaseRecord } from '../store/postgres/releases.ts';
import type { Row, Warehouse } from '../store/warehouse/duckdb.ts';
import type { QuarantinedRun } from './quarantine-run.ts';
import { refuseUnknownRules, withQuarantine } from './quarantine-show.ts';

interface ReleaseOptions {
  rules: readonly string[];
  where: string | null;
  note: string | null;
  author: string;
  dryRun: boolean;
}

/** What became of the rows that were chosen: chosen = released + held back. */
export interface Released {
  runId: string;
  pipeline: string;
  chosen: number;
  rows: number;
  heldBack: { because: HeldBack; rows: number }[];
  /** Rules that would have to be named as well, with the rows that break them. */
  otherRules: { rule: string; rows: number }[];
  /** Null for a dry run. */
  release: ReleaseRecord | null;
  /** False when the same rows were released before, and are. */
  isNew: boolean;
}

/**
 * Releases refused rows: notes who found them good, and keeps them beside the run they came from. They join the
 * runs that are opened afterwards.
 *
 * @throws PipelineError INPUT_INVALID for rules and conditions that choose no row that could be released
 */
export async function releaseRows(
  context: ActivityContext,
  found: QuarantinedRun,
  options: ReleaseOptions,
): Promise<Released> {
  const { run } = found;
  return withQuarantine(context, found, undefined, async ({ warehouse, quarantine }) => {
    const counts =
      found.quarantine.rows === 0 ? [] : readRuleCounts(await warehouse.rows(ruleCountsSql(quarantine)));
    refuseUnknownRules(options.rules, counts, found);
    const choice: Choice = { quarantine, rules: options.rules, where: options.where };
    await refuseOtherThanBoolean(warehouse, choice);
    const account = await accountOf(warehouse, choice);
    const about = { runId: run.runId, pipeline: run.pipeline, ...account };
    if (account.rows === 0) throw nothingToRelease(about);
    if (options.dryRun) return { ...about, release: null, isNew: false };
    const artifact = await keepRows(context, { pipeline: run.pipeline, warehouse, choice });
    const saved = await context.repositories.releases.release({
      pipeline: run.pipeline,
      runId: run.runId,
      rules: [...options.rules].sort(),
      where: options.where,
      note: options.note,
      author: options.author,
      artifact,
    });
    return { ...about, ...saved };
  });
}

/** DuckDB takes a number for a condition too, true unless it is 0: hardly what was meant. */
async function refuseOtherThanBoolean(warehouse: Warehouse, { quarantine, where }: Choice): Promise<void> {
  if (where === null) return;
  const [described] = await warehouse.rows(conditionSql(quarantine, where)).catch(asInputFault);
  const type = String(described?.column_type);
  if (type === 'BOOLEAN') return;
  throw new PipelineError(
    'INPUT_INVALID',
    `--where needs a condition that is true or false, such as "quantity < 3", found one of type ${type}`,
  );
}

type Account = Pick<Released, 'chosen' | 'rows' | 'heldBack' | 'otherRules'>;

async function accountOf(warehouse: Warehouse, choice: Choice): Promise<Account> {
  const counted = await warehouse.rows(choiceCountsSql(choice)).catch(asInputFault);
  const rowsOf = (because: string | null) =>
    counted.filter((row) => row.held_back === because).reduce((sum, row) => sum + Number(row.rows), 0);
  const heldBack = (Object.keys(HELD_BACK) as HeldBack[]).map((because) => ({
    because,
    rows: rowsOf(because),
  }));
  const others = rowsOf('other-rules') > 0 ? await warehouse.rows(otherRulesSql(choice)) : [];
  return {
    chosen: counted.reduce((sum, row) => sum + Number(row.rows), 0),
    rows: rowsOf(null),
    heldBack: heldBack.filter(({ rows }) => rows > 0),
    otherRules: others.map((row) => ({ rule: String(row.rule), rows: Number(row.rows) })),
  };
}

/** Marked as used by the pipeline, not by the run: what clears a run away leaves them. */
function keepRows(
  { artifacts }: ActivityContext,
  { pipeline, warehouse, choice }: { pipeline: string; warehouse: Warehouse; choice: Choice },
): Promise<ArtifactRef> {
  return artifacts.take('release', { runId: `releases-${pipeline}`, ending: 'parquet' }, (path) =>
    warehouse.copyToParquet(releasedRowsSql(choice), path),
  );
}

/** What cannot be computed in a condition, or may not be read, is a mistake of who typed it. */
function asInputFault(error: unknown): Row[] {
  if (!(error instanceof PipelineError)) throw error;
  if (error.code !== 'FEATURE_INVALID' && error.details.kind !== 'Permission') throw error;
  // In SQL double quotes are those of names, and a shell takes away the others.
  const way = /^[^:]*: Binder error: Referenced column .* not found/.test(error.message)
    ? `: text stands in single quotes, --where "channel = 'store'"`
    : '';
  throw new PipelineError('INPUT_INVALID', `${error.message}${way}`, error.details);
}

function nothingToRelease({
  runId,
  chosen,
  heldBack,
  otherRules,
}: Account & { runId: string }): PipelineError {
  const why = heldBack.map(({ because, rows }) => `${rows}: ${HELD_BACK[because]}`);
  const names = otherRules.map(({ rule }) => `--rule ${rule}`).join(' ');
  const way = names === '' ? '' : `; add ${names}, if that is meant`;
  return new PipelineError(
    'INPUT_INVALID',
    chosen === 0
      ? `no row that these rules refused in run ${runId} fulfils --where; strata quarantine show ${runId} shows the rows`
      : `none of the ${chosen} chosen rows of run ${runId} can be released: ${why.join(', ')}${way}`,
    { runId, chosen },
  );
}
