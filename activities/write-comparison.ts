import { adjustedRand } from '../numeric/compare/adjusted-rand.ts';
import { nextTurn } from '../numeric/kernels/turn.ts';
import { type Matrix, takeRows } from '../numeric/matrix.ts';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type {
  CandidateOutcome,
  CandidateRecord,
  CompareStages,
  WrittenComparison,
} from '../pipelines/contracts/compare.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { renderComparisonPage } from '../pipelines/stages/compare-page.ts';
import { entrantOf } from '../pipelines/stages/compare-ranking.ts';
import {
  buildComparison,
  type ComparisonReport,
  type ReportInput,
  shownCandidate,
} from '../pipelines/stages/compare-report.ts';
import { scatterOf } from '../pipelines/stages/compare-scatter.ts';
import { shownSegments } from '../pipelines/stages/compare-segments.ts';
import { scoredRows } from '../pipelines/stages/compare-trials.ts';
import { featureLabel } from '../pipelines/stages/figures.ts';
import { decodeColumns } from '../store/artifacts/columns-file.ts';
import { decodeJson, encodeJson } from '../store/artifacts/json.ts';
import { gridOf } from './candidate.ts';
import { readMatrix, readValues } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';

type Writing = Parameters<CompareStages['writeComparison']>[0];

/** What the report is made from beside the candidates' records. */
interface Material {
  definition: Definition;
  matrix: Matrix;
  /** Customers that are scored, ascending. */
  scored: Int32Array;
  /** Of all customers under each candidate's best segmentation, by its name. */
  labels: Map<string, Uint8Array>;
}

/** Records and labels of the candidates -> ranking, recommendation, and the report as JSON and as a page. */
export async function writeComparison(
  context: ActivityContext,
  given: Writing,
): Promise<Omit<WrittenComparison, 'ms'>> {
  const { artifacts } = context;
  const { run, candidates } = given;
  const material = await materialOf(context, given);
  const built = buildComparison(await inputOf(context, given, material));
  const report = { ...built, shown: await shownOf(context, given, { built, material }) };
  const write = (bytes: Buffer, ending: string): Promise<ArtifactRef> =>
    artifacts.write('comparison', bytes, { runId: run.runId, ending, rows: candidates.length });
  return {
    recommendation: built.recommendation,
    leaderboard: built.leaderboard,
    report: await write(encodeJson(report), 'json'),
    page: await write(Buffer.from(renderComparisonPage(report)), 'html'),
  };
}

async function materialOf(context: ActivityContext, given: Writing): Promise<Material> {
  const { artifacts } = context;
  const { run, plan, features, candidates } = given;
  const matrix = await readMatrix(artifacts, features.matrix);
  const grid = await gridOf(context, { run, plan, features });
  return {
    definition: await frozenDefinition(artifacts, run),
    matrix,
    scored: scoredRows(matrix, { plan, seed: run.seed, grid }),
    labels: await labelsOf(context, candidates),
  };
}

async function inputOf(
  context: ActivityContext,
  { run, plan, features, counts, candidates }: Writing,
  { definition, matrix, scored, labels }: Material,
): Promise<ReportInput> {
  const { pipeline, asOf, seed } = run;
  return {
    title: definition.title,
    pipeline,
    asOf,
    seed,
    plan,
    counts,
    features: features.columns.map(featureLabel),
    rows: { all: matrix.rows, scored: scored.length, trial: Math.min(plan.trialRows, scored.length) },
    entrants: await Promise.all(
      candidates.map(async (outcome) => entrantOf(outcome, await recordOf(context, outcome), plan)),
    ),
    agreement: await agreementOf(labels, scored),
  };
}

/** The recommended segmentation, or the rule grid in its place, as a person would look at it. */
async function shownOf(
  { artifacts }: ActivityContext,
  { run, features }: Writing,
  { built, material }: { built: ReturnType<typeof buildComparison>; material: Material },
): Promise<ComparisonReport['shown']> {
  const candidate = shownCandidate(built);
  const own = built.candidates.find((reported) => reported.candidate === candidate);
  const labels = material.labels.get(candidate);
  if (own?.best == null || labels === undefined) return null;
  const { k, names } = own.fits[own.best]!;
  const { matrix, scored, definition } = material;
  const columns = await readValues(artifacts, features.values);
  const clusters = Uint8Array.from(scored, (row) => labels[row]!);
  return {
    candidate,
    title: own.title,
    k,
    segments: shownSegments({ columns, labels, names, definition }),
    scatter: scatterOf(takeRows(matrix, scored), clusters, run.seed),
  };
}

async function recordOf(
  { artifacts }: ActivityContext,
  { record }: CandidateOutcome,
): Promise<CandidateRecord | null> {
  return record && (decodeJson(await artifacts.read(record)) as CandidateRecord);
}

async function labelsOf(
  { artifacts }: ActivityContext,
  candidates: readonly CandidateOutcome[],
): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const { candidate, labels } of candidates) {
    if (labels === null) continue;
    const { labels: own } = decodeColumns(await artifacts.read(labels));
    if (own instanceof Uint8Array) found.set(candidate, own);
  }
  return found;
}

/** Customers in no cluster count as one group more. */
async function agreementOf(
  labels: ReadonlyMap<string, Uint8Array>,
  scored: Int32Array,
): Promise<ComparisonReport['agreement']> {
  const candidates = [...labels.keys()];
  const own = candidates.map((name) => Uint8Array.from(scored, (row) => labels.get(name)![row]!));
  const matrix: number[][] = [];
  for (const a of own) {
    matrix.push(own.map((b) => adjustedRand(a, b)));
    await nextTurn();
  }
  return { candidates, matrix };
}
