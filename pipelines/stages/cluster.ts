import type { FitContext } from '../../numeric/cluster/algorithm.ts';
import type { KCandidate, KChoice } from '../../numeric/cluster/choice/choice.ts';
import { figuresOf } from '../../numeric/cluster/choice/explain-choice.ts';
import { adjustedRand } from '../../numeric/compare/adjusted-rand.ts';
import { type Matrix, takeRows } from '../../numeric/matrix.ts';
import { createRandom } from '../../numeric/random/random.ts';
import type { Definition } from '../contracts/definition.ts';
import type { CoresetQuality } from '../contracts/run.ts';
import type { Clustering } from '../contracts/stages.ts';
import { coresetSentence } from './coreset-words.ts';
import { formatShare } from './figures.ts';
import { gridParameters, ruleGrid } from './rule-grid.ts';
import type { FittedTransforms } from './transform.ts';

// Below it the scores would be told of other clusters than those that readers get.
const LEAST_AGREEMENT = 0.9;

/** How far clusters of all customers are those that were scored, on the scored customers. */
export interface Agreement {
  adjustedRand: number;
  needed: number;
  passed: boolean;
}

/** Clusters of all customers, with their agreement. */
export interface FittedClusters {
  /** Customers in each cluster, in the order of the labels. */
  sizes: ArrayLike<number>;
  agreement: Agreement;
  /** Where the centres were fitted on a weighted sample. */
  coreset?: CoresetQuality | undefined;
}

/**
 * The candidates to carry to all customers, one after the other until one holds: the chosen one first, then
 * those that competed with it. A gate passed on a sample can fail on the whole. What a person fixed is not
 * exchanged.
 */
export function candidatesToTry({ candidates, decidedBy, k }: KChoice): KCandidate[] {
  if (decidedBy === 'person') return candidates.filter((candidate) => candidate.k === k);
  return candidates.filter(({ rank }) => rank !== null).sort((left, right) => left.rank! - right.rank!);
}

/**
 * @param labels one per customer, of the fit on all of them
 * @throws RangeError when the scored customers are not as many as the candidate's labels
 */
export function agreementWith(
  candidate: Pick<KCandidate, 'labels'>,
  { scoredRows, labels }: { scoredRows: KChoice['scoredRows']; labels: Uint8Array },
): Agreement {
  const published = scoredRows === null ? labels : Uint8Array.from(scoredRows, (row) => labels[row]!);
  const found = adjustedRand(candidate.labels, published);
  return { adjustedRand: found, needed: LEAST_AGREEMENT, passed: found >= LEAST_AGREEMENT };
}

/** Whether no cluster is smaller than its least share of all customers. */
export function isLargeEnough(sizes: ArrayLike<number>, smallestShare: number): boolean {
  return shareOfSmallest(sizes) >= smallestShare;
}

/**
 * What a fit on all customers is worth, in words and figures. The scores are those of the choice, on the
 * rows it says; sizes are those of the fit. It is what the scored clusters are when it is still these.
 */
export function describeClustering({
  choice,
  fitted: { sizes, agreement, coreset },
  smallestShare,
  laterDays,
}: {
  choice: KChoice;
  fitted: FittedClusters;
  smallestShare: number;
  /** Days whose spend the candidates were judged by; null = none. */
  laterDays: number | null;
}): Pick<Clustering, 'verdict' | 'reasons' | 'k' | 'quality' | 'sizes'> {
  const k = sizes.length;
  const candidate = scoredAt(k, choice);
  const found = shareOfSmallest(sizes);
  const verdict = agreement.passed && candidate.verdict !== 'none' ? candidate.verdict : 'constructed';
  const reasons =
    k === choice.k
      ? [...choice.reasons]
      : [
          `k = ${choice.k} was chosen on a sample and had a cluster below ${formatShare(smallestShare)} of all customers: k = ${k} is next`,
          ...figuresOf(candidate, choice),
        ];
  if (found < smallestShare) {
    reasons.push(
      `the smallest cluster holds ${formatShare(found)} of all customers (needed ${formatShare(smallestShare)})`,
    );
  }
  if (coreset) reasons.push(coresetSentence(coreset));
  if (!agreement.passed) {
    reasons.push(
      `on the scored customers the clusters fitted on all agree with the scored ones at an adjusted Rand index of ` +
        `${agreement.adjustedRand.toFixed(2)} (needed ${agreement.needed.toFixed(2)}): the scores are of other clusters, ` +
        'these are constructed',
    );
  }
  return {
    verdict,
    reasons,
    k,
    sizes: Array.from(sizes),
    quality: {
      silhouette: candidate.silhouette,
      calinskiHarabasz: candidate.calinskiHarabasz,
      daviesBouldin: candidate.daviesBouldin,
      minJaccard: candidate.minJaccard,
      bootstraps: choice.bootstraps,
      smallestShare: found,
      verdict,
      decidedBy: choice.decidedBy,
      stableK: [...choice.stableRange],
      naturalK: [...choice.naturalRange],
      valley: candidate.valley,
      nullDraws: choice.nullDraws,
      laterSpend:
        laterDays === null || candidate.outcomeSeparation === null
          ? null
          : { days: laterDays, separation: candidate.outcomeSeparation },
      agreement: agreement.adjustedRand,
      scoredOn: { ...choice.scoredOn },
      ...(coreset && { coreset }),
      adjustedRand: null,
      movedShare: null,
    },
  };
}

/**
 * What is kept of a clustering as evidence, plain enough for JSON: every candidate with its scores and centres,
 * and how the published clusters relate to those that were scored.
 */
export function clusteringRecord({
  choice,
  fitted: { sizes, agreement, coreset },
  verdict,
}: {
  choice: KChoice;
  fitted: FittedClusters;
  verdict: Clustering['verdict'];
}) {
  return {
    ...choiceRecord(choice),
    published: {
      ...{ k: sizes.length, verdict, sizes: Array.from(sizes), agreement },
      ...(coreset && { coreset }),
    },
  };
}

/** The evidence alone, where nothing is published. */
export function choiceRecord({ scoredRows: _, confidences, candidates, ...choice }: KChoice) {
  return {
    ...choice,
    candidates: candidates.map(({ labels, centers, ...scores }) => ({
      ...scores,
      confidence: confidences.get(scores.k) ?? null,
      centers: rowsOf(centers, scores.k),
    })),
  };
}

/** An offer in words needs no more. */
const OFFER_ROWS = 50_000;

interface GridOffer {
  definition: Pick<Definition, 'naming' | 'clustering'>;
  transforms: FittedTransforms;
  context: FitContext;
}

/** What the fixed grid would make of customers that no k makes segments of: an offer, in one sentence. */
export async function offerOfGrid(
  matrix: Matrix,
  { definition: { naming, clustering }, transforms, context }: GridOffer,
): Promise<string[]> {
  const parameters = gridParameters(naming, transforms, clustering.smallestShare);
  if (parameters === null) return [];
  const rows = createRandom(context.seed).fork('grid').sample(matrix.rows, Math.min(matrix.rows, OFFER_ROWS));
  const sample = rows.length < matrix.rows ? takeRows(matrix, rows) : matrix;
  const { model, labels } = await ruleGrid.fit(sample, parameters, context);
  const counts = model.names.map((_, cluster) => labels.filter((label) => label === cluster).length);
  const cells = model.names.map((name, c) => `${name} ${formatShare(counts[c]! / sample.rows)}`);
  return [
    `the fixed grid of this definition's stages and values would make ${cells.length} groups by rule: ${cells.join(', ')}`,
  ];
}

function scoredAt(k: number, { candidates }: KChoice): KCandidate {
  const candidate = candidates.find((tried) => tried.k === k);
  if (candidate) return candidate;
  const tried = candidates.map((other) => other.k).join(', ');
  throw new RangeError(`a clustering needs a k that was scored (${tried}), found ${k}`);
}

function rowsOf(centers: Float64Array, k: number): number[][] {
  const columns = centers.length / k;
  return Array.from({ length: k }, (_, c) => Array.from(centers.subarray(c * columns, (c + 1) * columns)));
}

function shareOfSmallest(sizes: ArrayLike<number>): number {
  const counts = Array.from(sizes);
  return Math.min(...counts) / counts.reduce((sum, size) => sum + size, 0);
}
