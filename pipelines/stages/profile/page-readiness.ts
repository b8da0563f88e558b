import { formatNumber, formatShare } from '../figures.ts';
import type { FeatureReadiness, Shape } from './advice.ts';
import { capital } from './page-issues.ts';
import { escapeHtml } from './plots.ts';
import { heatMap, stepsPlot } from './plots-small.ts';
import { type Clusterability, REDUNDANT, type Readiness } from './readiness.ts';
import type { ProfileReport } from './report.ts';

const SMALL = { width: 210, height: 96 };

export function readinessSection({ readiness }: ProfileReport): string {
  const { missing, customers, features } = readiness;
  if (missing !== null) return `<p>This could not be looked at: ${escapeHtml(missing)}.</p>`;
  const clustered = features.filter(({ now }) => now !== null);
  const others = features.filter(({ now }) => now === null);
  const of = customers.isSample
    ? `a sample of ${formatNumber(customers.sampled)} customers with an accepted row, chosen by a hash of their id from ${formatNumber(customers.of)}`
    : `all ${formatNumber(customers.sampled)} customers with an accepted row`;
  return `<p class="soft">Whether the features of the definition can tell customers apart by distances. Of ${of}. Skewness is 0 for an even distribution; beyond 1 a few customers decide.</p>
${verdict(clustered)}
<div class="features">${clustered.map(featureCard).join('\n')}</div>
${others.length === 0 ? '' : `<details><summary>${others.length} features that are not clustered</summary><div class="features">${others.map(featureCard).join('\n')}</div></details>`}
${redundancy(readiness)}
${readiness.clusterability === null ? '' : clusterability(readiness.clusterability)}`;
}

function verdict(clustered: readonly FeatureReadiness[]): string {
  const against = clustered.filter(({ now }) => now?.agrees === false).map(({ feature }) => feature);
  return against.length === 0
    ? '<p>The transforms of pipeline.yaml are what is advised, or as good.</p>'
    : `<p><b>${against.length} of ${clustered.length} clustered features</b> would be evener with other transforms: ${escapeHtml(against.join(', '))}.</p>`;
}

function featureCard(feature: FeatureReadiness): string {
  const { advice, reason, before, after, now, mode, zeroShare } = feature;
  const isSame = advice.join() === 'none' || advice.join() === 'robust';
  const plots = [
    plotOf(before, 'as it is', feature.feature),
    ...(isSame ? [] : [plotOf(after, advice.join(', then '), feature.feature)]),
  ];
  const use = now
    ? `<p class="soft">pipeline.yaml: <code>[${now.transforms.join(', ')}]</code>, skewness ${now.after === null ? 'cannot be told' : formatNumber(now.after.skewness)} ${now.agrees ? '<span class="yes">✓ fits</span>' : '<span class="no">✗ other than advised</span>'}</p>`
    : '';
  return `<article class="card feature"><h3>${escapeHtml(feature.feature)} <span class="soft">${escapeHtml(feature.unit)}</span></h3>
<p>${isSame ? `<b>${advice[0] === 'robust' ? 'robust scaling' : 'no transform'}</b>` : `<b>${advice.join(', then ')}</b>`}: ${escapeHtml(reason)}.</p>${use}
<div class="pair">${plots.join('')}</div>
<p class="soft">Most frequent value ${formatNumber(mode.value)} (${formatShare(mode.share)})${zeroShare > 0 && mode.value !== 0 ? `, ${formatShare(zeroShare)} at 0` : ''}; ${formatNumber(feature.distinct)} different.</p></article>`;
}

function plotOf({ steps, skewness, kurtosis }: Shape, name: string, feature: string): string {
  if (steps === null) return '';
  return `<figure>${stepsPlot(steps, `${feature}, ${name}`, SMALL)}<figcaption>${escapeHtml(capital(name))}: skewness ${formatNumber(skewness)}, excess kurtosis ${formatNumber(kurtosis)}</figcaption></figure>`;
}

function redundancy({ redundant, inflation, correlations }: Readiness): string {
  const pairs = redundant.map(
    ({ first, second, correlation }) =>
      `<tr><td class="name">${escapeHtml(first)}</td><td class="name">${escapeHtml(second)}</td><td class="number">${correlation.toFixed(2)}</td></tr>`,
  );
  const factors = inflation.map(
    ({ feature, factor }) =>
      `<tr><td class="name">${escapeHtml(feature)}</td><td class="number">${factor === null ? 'repeats others' : formatNumber(factor)}</td></tr>`,
  );
  const said =
    pairs.length === 0
      ? `<p class="soft">No two features go together by ${REDUNDANT} or more.</p>`
      : `<p class="soft">Pairs that say nearly the same (rank correlation of ${REDUNDANT} or more either way). Clustering both counts one thing twice.</p><table><thead><tr><th>Feature</th><th>Feature</th><th class="number">Correlation</th></tr></thead><tbody>${pairs.join('')}</tbody></table>`;
  return `<h3>Redundant features</h3><div class="two"><div>${said}</div>
<div><p class="soft">Variance inflation of the clustered features after their transforms: 1 says nothing of the others, above 5 most of it is in them, above 10 nearly all.</p><table><thead><tr><th>Feature</th><th class="number">Factor</th></tr></thead><tbody>${factors.join('')}</tbody></table></div></div>
<details><summary>All correlations between features</summary>${heatMap(correlations.columns, correlations.values, 'Correlations between the features')}</details>`;
}

function clusterability({ hopkins, clustered, effectiveDimensions }: Clusterability): string {
  return `<h3>Clusterability</h3>
<p>The ${clustered} clustered features vary in about <b>${formatNumber(effectiveDimensions)}</b> independent directions (participation ratio of the eigenvalues of their correlations). The Hopkins statistic is <b>${hopkins.toFixed(2)}</b>; customers strewn evenly have 0.5.</p>
<p class="soft">A high Hopkins statistic says that customers crowd, which any skew or single hump does too: it does not say that there are natural groups. Whether there are is judged by the cluster stage, against data without groups.</p>`;
}
