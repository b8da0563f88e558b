import { DEEP_VALLEY } from '../../numeric/cluster/choice/rank-candidates.ts';
import { bestOf, CLEAR_FROM, type Entrant, GATE_NEEDS, type Graded } from './compare-ranking.ts';
import { formatNumber, formatShare } from './figures.ts';

// The comparison in sentences. Every one of them has this data's figures in it: what is true of an algorithm in
// general is in any textbook.

/** What speaks for and against a candidate on this data. */
export function prosAndConsOf(entrant: Entrant): { pros: string[]; cons: string[] } {
  const own = bestOf(entrant);
  const { record, outcome } = entrant;
  const failures = record?.failures ?? [];
  const lost =
    failures.length > 0
      ? [`no result at ${askedWords(failures.map(({ askedK }) => askedK))}: ${failures[0]!.reason}`]
      : [];
  if (!own) return { pros: [], cons: [outcome.reason ?? 'nothing was measured', ...lost] };
  const judged = [
    stability(own),
    separation(own),
    groups(own),
    sizes(own),
    coverage(own),
    rules(own),
    speed(own),
  ].flat();
  return {
    pros: judged.filter(({ isGood }) => isGood).map(({ text }) => text),
    cons: [
      ...judged.filter(({ isGood }) => !isGood).map(({ text }) => text),
      ...(outcome.reason ? [outcome.reason] : []),
      ...lost,
    ],
  };
}

interface Point {
  isGood: boolean;
  text: string;
}

function stability({ fit, gates }: Graded): Point[] {
  const least = fit.minJaccard.toFixed(2);
  if (fit.k < 2) return [{ isGood: false, text: 'finds a single cluster: no segmentation' }];
  const { passed, found } = gates.find(({ gate }) => gate === 'stability')!;
  if (!passed && fit.minJaccard >= GATE_NEEDS.stability) {
    const text = `segments may not be found again on resamples (least ${least}, ${found.toFixed(2)} less two standard errors)`;
    return [{ isGood: false, text }];
  }
  if (fit.minJaccard >= 0.85)
    return [{ isGood: true, text: `every segment is found again on resamples (least ${least})` }];
  if (passed) return [{ isGood: true, text: `segments are found again on resamples (least ${least})` }];
  const shaky = fit.jaccards.filter((jaccard) => jaccard < GATE_NEEDS.stability).length;
  return [
    {
      isGood: false,
      text: `${shaky} of ${fit.k} segments are not found again on resamples (least ${least})`,
    },
  ];
}

function separation({ fit, z }: Graded): Point[] {
  if (!fit.scores) return [{ isGood: false, text: 'too few clusters to score' }];
  const silhouette = fit.scores.silhouette.toFixed(3);
  if (!z)
    return [
      {
        isGood: false,
        text: `silhouette ${silhouette}, with nothing to hold it against: it finds no clusters in data without groups`,
      },
    ];
  const chance = fit.nullScores!.silhouette.mean.toFixed(3);
  const isGood = z.silhouette >= CLEAR_FROM;
  const text = `silhouette ${silhouette}${isGood ? ', above the' : '; it reaches'} ${chance} ${isGood ? 'that it reaches ' : ''}on data without groups`;
  return [{ isGood, text }];
}

function groups({ fit, isApart }: Graded): Point[] {
  if (fit.valley === null || fit.k < 2) return [];
  if (fit.valley >= 0.98) return [{ isGood: false, text: 'no valley between its least separated segments' }];
  const isDeep = fit.valley <= DEEP_VALLEY;
  const falls = `falls ${isDeep ? '' : 'only '}to ${formatShare(fit.valley)} of the lower peak`;
  const but = isDeep && !isApart ? ', as it may without groups' : '';
  return [{ isGood: isApart, text: `between its least separated segments the density ${falls}${but}` }];
}

function sizes({ fit, gates }: Graded): Point[] {
  const isGood = gates.find(({ gate }) => gate === 'size')!.passed;
  const [largest] = fit.sizes;
  const total = fit.sizes.reduce((sum, size) => sum + size, 0) / (1 - fit.noiseShare);
  return [
    {
      isGood,
      text: `segments from ${formatShare(fit.smallestShare)} to ${formatShare(largest! / total)} of the customers`,
    },
  ];
}

function coverage({ fit }: Graded): Point[] {
  if (fit.noiseShare > 0.005)
    return [{ isGood: false, text: `calls ${formatShare(fit.noiseShare)} of the customers noise` }];
  if (fit.assignedAgain >= GATE_NEEDS.assignable)
    return [{ isGood: true, text: 'a new customer can be put into a segment' }];
  return [
    {
      isGood: false,
      text: `only ${formatShare(fit.assignedAgain)} of the customers are put into the same segment again`,
    },
  ];
}

function rules({ fit }: Graded): Point[] {
  const share = formatShare(fit.fidelity);
  return [
    {
      isGood: fit.fidelity >= GATE_NEEDS.fidelity,
      text: `the nearest segment mean alone gives ${share} of the customers their segment`,
    },
  ];
}

function speed({ fit }: Graded): Point[] {
  const on = fit.fittedOn.rows < fit.fittedOn.of ? `, on a sample of ${formatNumber(fit.fittedOn.rows)}` : '';
  const isGood = fit.fitMs < 2_000;
  return [{ isGood, text: `one fit takes ${duration(fit.fitMs)}${on}` }];
}

export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function askedWords(ks: readonly (number | null)[]): string {
  const numbers = ks.filter((k) => k !== null);
  return numbers.length === 0 ? 'all' : `k = ${numbers.join(', ')}`;
}

export function signed(value: number): string {
  const size = Math.abs(value);
  return `${value < 0 ? '−' : '+'}${size >= 100 ? size.toFixed(0) : size.toFixed(1)}`;
}
