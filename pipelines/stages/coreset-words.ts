import type { CoresetQuality } from '../contracts/run.ts';
import { formatNumber } from './figures.ts';

/** What a fit on a weighted sample costs, in one sentence. */
export function coresetSentence({ rows, of, inertiaError, stepGain }: CoresetQuality): string {
  const found =
    inertiaError === 0
      ? 'the inertia of the sample is that of all'
      : `the inertia of the sample is ${smallPercent(Math.abs(inertiaError))} ${inertiaError < 0 ? 'below' : 'above'} that of all`;
  return (
    `fitted on a weighted sample of ${formatNumber(rows)} of ${formatNumber(of)} customers: ${found}, ` +
    `which would fall by ${smallPercent(stepGain)} if each centre moved to the mean of its customers`
  );
}

/** These shares are small where all is well: two decimals, and no 0 for what is not. */
function smallPercent(share: number): string {
  if (share === 0) return '0 %';
  return share < 0.0001 ? 'less than 0.01 %' : `${(share * 100).toFixed(2)} %`;
}
