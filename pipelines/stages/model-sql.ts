import { PipelineError } from '../contracts/errors.ts';
import { quoteName, quoteText } from '../contracts/sql-quote.ts';
import type { ConfidenceTable, Model } from './model.ts';
import { type Chain, createChain } from './model-sql-chain.ts';
import { addFeatures } from './model-sql-features.ts';
import { columnList, commentText, type Dialect, double, type SqlColumn, single } from './model-sql-text.ts';
import { addTransforms } from './model-sql-transforms.ts';

// A model as one SELECT, for assigning customers where they lie. The kernels work in single precision and
// round after every operation; the statement makes the same operations in the same order on FLOAT4, so that
// customers get the same cluster, distance and margin as here. Only log1p and Yeo-Johnson go through the
// database's own logarithm, whose last bit in double precision may differ before it is rounded to single:
// on three million customers with four features, through DuckDB, no label, distance or margin did.

export interface ModelSqlOptions {
  dialect: Dialect;
  /** Table or view with a row per customer; several parts for a schema: ['analytics', 'customers']. */
  source: string | readonly string[];
  customerId: string;
  /** Id of each cluster's segment; adds the column `segment_id`. */
  segments?: readonly string[];
  /** Whether derived features stand in the source, or are made of its aggregates where SQL can say them. @default 'columns' */
  derived?: 'columns' | 'computed';
}

/**
 * The model as a SELECT statement.
 *
 * One row per row of the source: `customer_id`, `cluster` (from 0; NULL where the model abstains), `segment_id`
 * if asked for, `distance`, `margin`, `confidence`, `is_novel`. A customer with a feature that is NULL, NaN,
 * infinite or outside what a transform can take has NULL in all of them.
 *
 * @throws PipelineError INPUT_INVALID when `segments` does not name each cluster, or a name cannot be one
 */
export function modelToSql(model: Model, options: ModelSqlOptions): string {
  const { dialect, segments } = options;
  const k = model.centers.length;
  if (segments && segments.length !== k)
    throw new PipelineError(
      'INPUT_INVALID',
      `segments needs an id for each of ${k} clusters, found ${segments.length}`,
    );
  const chain = createChain(dialect);
  const source = [options.source].flat().map(quoteName).join('.');
  const about = addFeatures(chain, model, { ...options, source });
  addTransforms(chain, model);
  addDistances(chain, model);
  addJudgement(chain, model);
  const columns: SqlColumn[] = [
    { name: 'customer_id', sql: 'customer_id' },
    { name: 'cluster', sql: 'cluster' },
    ...(segments ? [{ name: 'segment_id', sql: segmentSql(segments) }] : []),
    ...['distance', 'margin', 'confidence', 'is_novel'].map((name) => ({ name, sql: name })),
  ];
  const header = headerOf(model, { ...options, ...about });
  return `${header}\nWITH ${chain.steps.join(',\n')}\nSELECT ${columnList(columns, '  ')}\nFROM ${chain.last}\n`;
}

/** Squared distances s0, s1 …, then the nearest and second nearest, then distance and margin. */
function addDistances(chain: Chain, { centers }: Model): void {
  const squares = centers.map((_, c) => `s${c}`);
  chain.add(
    'squares',
    centers.map((center, c) => ({
      name: `s${c}`,
      sql: center.map((value, j) => squareSql(chain.dialect, `f${j} - ${single(value)}`)).join(' + '),
    })),
  );
  const kept = squares.map((name) => ({ name, sql: name }));
  chain.add('nearest', [...kept, { name: 'nearest', sql: leastOf(squares) }]);
  const branches = squares.map((square, c) => `WHEN ${square} = nearest THEN ${c}`).join(' ');
  chain.add('labelled', [
    ...kept,
    { name: 'nearest', sql: 'nearest' },
    { name: 'label', sql: `CASE ${branches} END` },
  ]);
  const seconds = squares.map((_, c) => `WHEN ${c} THEN ${leastOf(squares.filter((_, i) => i !== c))}`);
  chain.add('second', [
    { name: 'label', sql: 'label' },
    { name: 'nearest', sql: 'CAST(nearest AS FLOAT8)' },
    ...(squares.length === 1
      ? []
      : [{ name: 'second', sql: `CAST(CASE label ${seconds.join(' ')} END AS FLOAT8)` }]),
  ]);
  const share = `CAST(1 - sqrt(nearest) / sqrt(second) AS FLOAT4)`;
  const margin = `CASE WHEN second = 0 THEN 0 ELSE ${share} END`;
  chain.add('measured', [
    { name: 'label', sql: 'label' },
    { name: 'distance', sql: 'CAST(sqrt(nearest) AS FLOAT4)' },
    { name: 'margin', sql: squares.length === 1 ? `CASE WHEN label = 0 THEN ${single(1)} END` : margin },
  ]);
}

function squareSql(dialect: Dialect, difference: string): string {
  const square = `(${difference}) * (${difference})`;
  if (dialect === 'duckdb') return square;
  // 2^-75 squared is what PostgreSQL would call an underflow.
  return `CASE WHEN abs(${difference}) <= ${single(2 ** -75)} THEN 0 ELSE ${square} END`;
}

function leastOf(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `LEAST(${names.join(', ')})`;
}

/** Confidence, novelty, and the cluster where the model does not abstain. */
function addJudgement(chain: Chain, { confidence, reaches, assignment }: Model): void {
  const carried = ['label', 'distance', 'margin'].map((name) => ({ name, sql: name }));
  const unknown = 'CAST(NULL AS FLOAT8)';
  const beyond = reaches?.map((reach, c) => `WHEN ${c} THEN distance > ${double(reach)}`);
  chain.add('judged', [
    ...carried,
    { name: 'confidence', sql: confidence ? confidenceSql(confidence) : unknown },
    {
      name: 'is_novel',
      sql: beyond ? `CASE label ${beyond.join(' ')} END` : 'CAST(NULL AS BOOLEAN)',
    },
  ]);
  const doubts = [
    ...(assignment.abstainBelowMargin > 0 ? [`margin < ${double(assignment.abstainBelowMargin)}`] : []),
    ...(confidence && assignment.abstainBelowConfidence > 0
      ? [`confidence < ${double(assignment.abstainBelowConfidence)}`]
      : []),
  ];
  const cluster = doubts.length === 0 ? 'label' : `CASE WHEN ${doubts.join(' OR ')} THEN NULL ELSE label END`;
  chain.add('assigned', [
    { name: 'cluster', sql: cluster },
    ...['distance', 'margin', 'confidence', 'is_novel'].map((name) => ({ name, sql: name })),
  ]);
}

function confidenceSql({ margins, shares }: ConfidenceTable): string {
  const pieces = margins.map((edge, i) => {
    const share = shares[i]!;
    if (i === 0) return `WHEN margin <= ${double(edge)} THEN ${double(share)}`;
    const [from, low] = [margins[i - 1]!, shares[i - 1]!];
    const line = `${double(low)} + ${double(share - low)} * (margin - ${double(from)}) / ${double(edge - from)}`;
    return `WHEN margin <= ${double(edge)} THEN ${line}`;
  });
  return `CASE ${pieces.join(' ')} WHEN margin IS NOT NULL THEN ${double(shares.at(-1)!)} END`;
}

function segmentSql(segments: readonly string[]): string {
  return `CASE cluster ${segments.map((id, c) => `WHEN ${c} THEN ${quoteText(id)}`).join(' ')} END`;
}

function headerOf(
  { pipeline, definitionVersion }: Model,
  about: ModelSqlOptions & { reads: string[]; expected: string[] },
): string {
  const { dialect, source, customerId, reads, expected } = about;
  const names = reads.map(commentText).join(', ');
  const lines = [
    `Segments of pipeline ${commentText(pipeline)}, definition version ${definitionVersion}, as SQL for ${dialect}.`,
    `Reads ${[source].flat().map(commentText).join('.')}: ${commentText(customerId)} and, per customer, ${names}.`,
    ...(expected.length > 0
      ? [
          `SQL has no words for ${expected.map(commentText).join(', ')}: the source has to have them as columns.`,
        ]
      : []),
    'A customer with a missing feature has NULL for all results.',
  ];
  return lines.map((line) => `-- ${line}`).join('\n');
}
