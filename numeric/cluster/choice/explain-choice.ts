import type { ChooseKSettings, KCandidate, KChoice } from './choose-k.ts';
import { CRITERIA_COUNT, percent } from './rank-candidates.ts';

/** The choice in words: what decided, what the chosen k was measured at, what was left out. */
export function explainChoice(
  candidates: readonly KCandidate[],
  context: { settings: ChooseKSettings; scoredOn: KChoice['scoredOn']; kMax: number },
): Omit<KChoice, 'scoredRows'> {
  const { settings, scoredOn, kMax } = context;
  const chosen = candidates.find(({ rank }) => rank === 1)!;
  const stableRange = candidates
    .filter(({ gates }) => gates.size.passed && gates.stability.passed)
    .map(({ k }) => k);
  const verdict = stableRange.length > 0 ? 'reproducible' : 'constructed';
  const tooSmall = candidates.filter(({ gates }) => !gates.size.passed).map(({ k }) => k);
  const unstable = candidates.filter(({ gates }) => !gates.stability.passed).map(({ k }) => k);
  const reasons = [
    decisionOf(chosen, candidates),
    `its smallest cluster holds ${percent(chosen.minShare)} (needed ${percent(settings.minShare)})`,
    `its least stable cluster has a bootstrap Jaccard of ${chosen.minJaccard.toFixed(2)} over ` +
      `${settings.bootstraps} resamples, ${chosen.gates.stability.found.toFixed(2)} allowing for their chance ` +
      `(needed ${settings.minJaccard.toFixed(2)})`,
    ...(verdict === 'constructed' ? ['no k is found again on resamples: the clusters are constructed'] : []),
    ...(tooSmall.length > 0 ? [`some cluster is too small at k = ${tooSmall.join(', ')}`] : []),
    ...(unstable.length > 0 ? [`some cluster is not stable at k = ${unstable.join(', ')}`] : []),
    ...(kMax < settings.kMax ? [`k above ${kMax} was not tried: too few rows differ`] : []),
    ...(scoredOn.rows < scoredOn.of ? [`scored on a sample of ${scoredOn.rows} of ${scoredOn.of} rows`] : []),
    'whether the clusters are natural was not tested',
  ];
  return {
    k: chosen.k,
    verdict,
    reasons,
    candidates,
    stableRange,
    scoredOn,
    bootstraps: settings.bootstraps,
  };
}

function decisionOf(chosen: KCandidate, candidates: readonly KCandidate[]): string {
  const ks = (which: (candidate: KCandidate) => boolean) =>
    candidates
      .filter(which)
      .map(({ k }) => k)
      .join(', ');
  const competing = ks(({ rank }) => rank !== null);
  if (competing === `${chosen.k}`) return `k = ${chosen.k} is the only candidate that competes`;
  return (
    `k = ${chosen.k} wins ${percent(chosen.score!)} of its comparisons by ${CRITERIA_COUNT} criteria ` +
    `with k = ${ks(({ score, k }) => score !== null && k !== chosen.k)}, the most among k = ${competing}`
  );
}
