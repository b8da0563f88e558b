import { DEEP_VALLEY, SIGNIFICANCE } from '../../numeric/cluster/choice/rank-candidates.ts';
import type {
  CandidateRecord,
  ComparePlan,
  FitRecord,
  GateResult,
  Recommendation,
} from '../contracts/compare.ts';
import { bestOf, CLEAR_FROM, type Entrant, GATE_NEEDS, type Graded, TIE } from './compare-ranking.ts';
import { signed } from './compare-words.ts';
import { formatNumber, formatShare } from './figures.ts';
import { RULE_GRID } from './rule-grid.ts';

/** What to do, and why, from the ranking. */
export function recommend(found: {
  entrants: readonly Entrant[];
  ranked: readonly Entrant[];
  plan: ComparePlan;
  rows: CandidateRecord['rows'];
}): Recommendation {
  const winner = found.ranked[0];
  const own = winner && bestOf(winner);
  if (!winner || !own?.passed) return nothingPasses(found);
  const title = titleOf(winner);
  const verdict = own.isNatural ? 'natural' : 'reproducible';
  const what = own.isNatural
    ? 'these are groups of customers, with fewer between any two of them, and they are found again on resamples'
    : 'they are found again on resamples; they are a useful way to cut one crowd, not groups that are there without it';
  return {
    verdict,
    candidate: winner.outcome.candidate,
    k: own.fit.k,
    headline: `Use ${title} with ${own.fit.k} segments: ${what}.`,
    reasons: [
      stabilityReason(own.fit, found.plan, found.rows),
      valleyReason(own),
      separationReason(own),
      `Its smallest segment holds ${formatShare(own.fit.smallestShare)} of the customers (needed: ${formatShare(found.plan.smallestShare)}).`,
      ...rivalsReason(winner, own, found.ranked),
      ...losersReason(found.ranked),
    ],
    grid: [],
  };
}

function titleOf({ record, outcome }: Entrant): string {
  return record?.title ?? outcome.candidate;
}

function stabilityReason(
  { minJaccard }: FitRecord,
  plan: ComparePlan,
  rows: CandidateRecord['rows'],
): string {
  return (
    `On ${plan.bootstraps} resamples of ${formatNumber(rows.trial)} customers its least stable segment is found again ` +
    `with a Jaccard similarity of ${minJaccard.toFixed(2)} (needed: ${GATE_NEEDS.stability}; 1 = the very same customers).`
  );
}

function valleyReason({ fit: { valley, nullValleys }, valleyDraws, isNatural }: Graded): string {
  const nullDraws = nullValleys.length;
  if (valley === null) return 'Whether there are valleys between its segments could not be measured.';
  const falls =
    valley >= 0.98
      ? 'Between its two least separated segments there are as many customers as within them'
      : `Between its two least separated segments the density of customers falls to ${formatShare(valley)} of the lower peak`;
  const needed = `natural groups need ${formatShare(DEEP_VALLEY)} or less`;
  if (isNatural || valley > DEEP_VALLEY) return `${falls} (${needed}).`;
  if (1 / (nullDraws + 1) > SIGNIFICANCE)
    return `${falls}; ${nullDraws} data sets without groups are too few to call that natural (needed: 19).`;
  return `${falls}, but so it does in ${valleyDraws} of ${nullDraws} data sets without groups.`;
}

const WHERE = [
  { from: CLEAR_FROM, words: 'clearly above' },
  { from: 1.5, words: 'slightly above' },
  { from: -1.5, words: 'about' },
  { from: -Infinity, words: 'below' },
];

function separationReason({ fit, z }: Graded): string {
  const { scores, nullScores } = fit;
  if (!scores || !nullScores || !z) return 'Its separation could not be held against data without groups.';
  const where = WHERE.find(({ from }) => z.silhouette >= from)!.words;
  return (
    `Its silhouette is ${scores.silhouette.toFixed(3)}; the same algorithm reaches ${nullScores.silhouette.mean.toFixed(3)} on data ` +
    `without groups, so it is ${where} what chance gives (${signed(z.silhouette)} standard deviations).`
  );
}

function rivalsReason(winner: Entrant, own: Graded, ranked: readonly Entrant[]): string[] {
  const passed = ranked.filter((entrant) => entrant !== winner && bestOf(entrant)!.passed);
  if (passed.length === 0) return ['No other candidate passes all gates.'];
  const alike = passed.filter((entrant) => bestOf(entrant)!.isNatural === own.isNatural);
  const others = passed.filter((entrant) => !alike.includes(entrant));
  const scored = alike.filter((entrant) => bestOf(entrant)!.score !== null);
  const unscored = alike.filter((entrant) => !scored.includes(entrant));
  const most = Math.max(...[winner, ...scored].map((entrant) => bestOf(entrant)!.score ?? -Infinity));
  const near = scored.filter((entrant) => bestOf(entrant)!.score! > most - TIE);
  const lower = scored.length - near.length;
  const does = near.length === 1 ? 'does' : 'do';
  return [
    ...(near.length > 0
      ? [`${namesOf(near)} ${does} about as well; of equals the simpler one is taken.`]
      : []),
    ...(others.length > 0 ? [`${passing(others)}, but not with natural segments.`] : []),
    ...(unscored.length > 0
      ? [`${passing(unscored)}, without a score: data without groups give nothing to compare with.`]
      : []),
    ...(lower > 0 ? [`${counted(lower, 'other candidate')} passed all gates too, with lower scores.`] : []),
  ];
}

function passing(entrants: readonly Entrant[]): string {
  return `${namesOf(entrants)} ${entrants.length === 1 ? 'passes' : 'pass'} all gates too`;
}

function namesOf(entrants: readonly Entrant[]): string {
  return entrants.map((entrant) => `${titleOf(entrant)} (k = ${bestOf(entrant)!.fit.k})`).join(', ');
}

function losersReason(ranked: readonly Entrant[]): string[] {
  const failed = ranked.filter((entrant) => !bestOf(entrant)!.passed);
  if (failed.length === 0) return [];
  const words = failed.map((entrant) => {
    const gates = bestOf(entrant)!.gates.filter(({ passed }) => !passed);
    return `${titleOf(entrant)} (${gates.map(({ gate }) => GATE_WORDS[gate]).join(', ')})`;
  });
  return [`Out by a gate: ${words.join(', ')}.`];
}

const GATE_WORDS: Record<GateResult['gate'], string> = {
  stability: 'not found again',
  size: 'too small a segment',
  assignable: 'leaves customers out or puts them elsewhere again',
  fidelity: 'no simple rule gives its segments',
  budget: 'too slow',
};

function nothingPasses({
  entrants,
  ranked,
  plan,
}: {
  entrants: readonly Entrant[];
  ranked: readonly Entrant[];
  plan: ComparePlan;
}): Recommendation {
  const grid = entrants.find(({ outcome }) => outcome.candidate === RULE_GRID.name);
  const cells = (grid && bestOf(grid)?.fit) ?? null;
  const isAnyStable = ranked.some(({ graded }) => graded.some(isStable));
  const total = cells?.sizes.reduce((sum, size) => sum + size, 0) ?? 0;
  const ks = plan.ks.min === plan.ks.max ? `${plan.ks.min}` : `${plan.ks.min} to ${plan.ks.max}`;
  return {
    verdict: 'none',
    candidate: null,
    k: null,
    headline:
      `${isAnyStable ? 'No segmentation passes all gates' : 'No reproducible segmentation'} at any k (${ks} tried)` +
      (cells
        ? `: use the rule grid with its ${counted(cells.k, 'cell')} instead.`
        : ', and no rule grid to offer in its place.'),
    reasons: [
      ...(ranked.length === 0 ? ['No algorithm gave a segmentation at all.'] : losersReason(ranked)),
      ...(cells
        ? [
            'The rule grid cuts at fixed days and amounts: it means the same every month, and claims no discovery.',
          ]
        : []),
    ],
    grid: (cells?.sizes ?? []).map((customers, i) => ({
      name: cells!.names?.[i] ?? `Cell ${i + 1}`,
      customers,
      share: customers / total,
    })),
  };
}

function isStable({ gates }: Graded): boolean {
  return gates.some(({ gate, passed }) => gate === 'stability' && passed);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
