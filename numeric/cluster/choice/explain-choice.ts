import type { ChooseKSettings, KCandidate, KChoice } from './choice.ts';
import { DEEP_VALLEY, LEAST_PATTERN, percent, SIGNIFICANCE } from './rank-candidates.ts';

interface Context {
  readonly settings: ChooseKSettings;
  readonly scoredOn: KChoice['scoredOn'];
  /** The largest k that there were enough different rows for. */
  readonly kMax: number;
}

/** The choice in words: what decided, what the chosen k was measured at, what was left out. */
export function explainChoice(
  candidates: readonly KCandidate[],
  context: Context,
): Omit<KChoice, 'scoredRows' | 'confidences'> {
  const { settings, scoredOn } = context;
  const best = candidates.find(({ rank }) => rank === 1);
  const fixed = candidates.find(({ k }) => k === settings.fixedK);
  const chosen = fixed ?? best;
  const ksOf = (which: (candidate: KCandidate) => boolean) => candidates.filter(which).map(({ k }) => k);
  return {
    k: chosen?.k ?? null,
    // What a person asks for is made; that nothing speaks for it is said.
    verdict: fixed?.verdict === 'none' ? 'constructed' : (chosen?.verdict ?? 'none'),
    decidedBy: fixed === undefined ? 'evidence' : 'person',
    reasons: [
      ...(fixed ? decisionOfPerson(fixed, best) : []),
      ...(chosen
        ? [...decision(chosen, candidates), ...figuresOf(chosen, settings)]
        : refusal(candidates, settings)),
      ...leftOut(candidates, context),
    ],
    candidates,
    stableRange: ksOf(({ verdict }) => verdict === 'natural' || verdict === 'reproducible'),
    naturalRange: ksOf(({ verdict }) => verdict === 'natural'),
    scoredOn,
    bootstraps: settings.bootstraps,
    nullDraws: settings.nullDraws,
  };
}

function decisionOfPerson(fixed: KCandidate, best: KCandidate | undefined): string[] {
  if (best === undefined)
    return [`k = ${fixed.k} was fixed by a person; by the evidence there would be no segments`];
  if (best.k === fixed.k) return [`k = ${fixed.k} was fixed by a person; the evidence chooses it too`];
  return [
    `k = ${fixed.k} was fixed by a person; the evidence would choose k = ${best.k}, which is ${best.verdict}`,
  ];
}

function decision(chosen: KCandidate, candidates: readonly KCandidate[]): string[] {
  if (chosen.rank !== 1) return [];
  const rivals = candidates.filter(({ rank }) => rank !== null && rank > 1);
  if (rivals.length === 0) return [`k = ${chosen.k} is the only candidate that competes`];
  if (chosen.verdict === 'natural') {
    const others = rivals.map(({ k }) => k).join(', ');
    return [
      `k = ${chosen.k} is the finest choice whose clusters are natural; k = ${others} pass the gates too`,
    ];
  }
  const competing = [chosen, ...rivals].map(({ k }) => k).sort((a, b) => a - b);
  return [
    `k = ${chosen.k} is the best of k = ${competing.join(', ')}: none is in a higher band of stability, and in its own it ` +
      'wins the most comparisons beyond chance',
  ];
}

/** What a candidate was measured at. */
export function figuresOf(
  chosen: KCandidate,
  { bootstraps, nullDraws }: Pick<KChoice, 'bootstraps' | 'nullDraws'>,
): string[] {
  const { gates, null: comparison } = chosen;
  const beyond = comparison.silhouette.found - comparison.silhouette.nullMean;
  return [
    `its smallest cluster holds ${percent(chosen.minShare)} (needed ${percent(gates.size.needed)})`,
    `its least stable cluster has a bootstrap Jaccard of ${chosen.minJaccard.toFixed(2)} over ${bootstraps} resamples, ` +
      `${gates.stability.found.toFixed(2)} allowing for their chance (needed ${gates.stability.needed.toFixed(2)})`,
    valleyInWords(chosen, nullDraws),
    `its silhouette is ${beyond >= 0 ? `${beyond.toFixed(3)} above` : `${(-beyond).toFixed(3)} below`} that of data with ` +
      'the same margins and correlations but no groups',
    ...(chosen.outcomeSeparation === null
      ? []
      : [
          `it explains ${percent(chosen.outcomeSeparation)} of the ranks of the later outcome, beyond chance`,
        ]),
  ];
}

function valleyInWords({ valley, verdict, null: { valleyShare } }: KCandidate, nullDraws: number): string {
  if (verdict === 'natural') {
    return (
      `its clusters are natural: between any two neighbours the density falls to ${percent(valley)} of the lower peak or ` +
      `further (needed ${percent(DEEP_VALLEY)}), in ${drawsAsDeep(valleyShare, nullDraws)} of ${nullDraws} draws without groups as far`
    );
  }
  const depth =
    valley >= 0.99 ? 'there is no valley' : `the density falls only to ${percent(valley)} of the lower peak`;
  if (valley > DEEP_VALLEY)
    return `between two of its neighbours ${depth}: the border is a cut through one heap`;
  if (valleyShare > SIGNIFICANCE)
    return `its clusters are apart, and ${percent(valleyShare)} of the draws without groups have such valleys too`;
  return 'its clusters are apart, and not found again on resamples';
}

function drawsAsDeep(valleyShare: number, nullDraws: number): string {
  const draws = Math.round(valleyShare * (nullDraws + 1)) - 1;
  return draws === 0 ? 'none' : `${draws}`;
}

function refusal(candidates: readonly KCandidate[], { minShare }: ChooseKSettings): string[] {
  const ks = `k from ${candidates[0]!.k} to ${candidates.at(-1)!.k}`;
  if (candidates.every(({ gates }) => !gates.size.passed)) {
    const best = Math.max(...candidates.map((candidate) => candidate.minShare));
    return [
      `every cluster needs ${percent(minShare)} of the rows, found at most ${percent(best)} in the smallest one for ${ks}`,
      'where a few rows far from all others take a cluster of their own, winsorise the columns or take their logarithm',
    ];
  }
  const large = candidates.filter(({ gates }) => gates.size.passed);
  const best = Math.max(...large.map(({ minJaccard }) => minJaccard));
  return [
    `there is no reproducible segmentation for ${ks}: on resamples the least stable cluster is found again with a ` +
      `Jaccard of ${best.toFixed(2)} at best (below ${LEAST_PATTERN.toFixed(2)} clusters are not to be trusted)`,
  ];
}

function leftOut(candidates: readonly KCandidate[], { settings, scoredOn, kMax }: Context): string[] {
  const tooSmall = candidates.filter(({ gates }) => !gates.size.passed).map(({ k }) => k);
  const unstable = candidates.filter(({ gates }) => !gates.stability.passed).map(({ k }) => k);
  const isStable = candidates.some(({ gates }) => gates.size.passed && gates.stability.passed);
  return [
    ...(isStable ? [] : ['no k is found again on resamples']),
    ...(tooSmall.length > 0 ? [`some cluster is too small at k = ${tooSmall.join(', ')}`] : []),
    ...(unstable.length > 0 ? [`some cluster is not stable at k = ${unstable.join(', ')}`] : []),
    ...(kMax < settings.kMax ? [`k above ${kMax} was not tried: too few rows differ`] : []),
    ...(scoredOn.rows < scoredOn.of ? [`scored on a sample of ${scoredOn.rows} of ${scoredOn.of} rows`] : []),
  ];
}
