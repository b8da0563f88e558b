import { NOISE } from '../../numeric/cluster/algorithm.ts';
import { DEEP_VALLEY, SIGNIFICANCE } from '../../numeric/cluster/choice/rank-candidates.ts';
import { boardSection } from './compare-board-section.ts';
import { figuresSection } from './compare-figures-section.ts';
import { scoresByK } from './compare-plot-by-k.ts';
import { agreementMap, costBars, type Drawn, scatterPlot, sizeBars, stabilityDots } from './compare-plots.ts';
import { GATE_NEEDS, YARDSTICKS } from './compare-ranking.ts';
import type { ComparisonReport, ReportedCandidate, ShownSegment } from './compare-report.ts';
import { COMPARE_STYLE } from './compare-style.ts';
import { colour } from './compare-svg.ts';
import { formatNumber, formatShare } from './figures.ts';
import { htmlPage } from './html-page.ts';
import { escapeHtml } from './profile/plots.ts';

/**
 * The comparison as one HTML page without scripts and without anything to load, the same bytes for equal reports.
 * Every plot says what it shows and how to read it; some 300 KB for ten numbers of segments.
 */
export function renderComparisonPage(report: ComparisonReport): string {
  const title = `${report.title}: which segmentation, if any?`;
  const drawn = report.candidates.map((own, i): Drawn => ({ own, colour: colour(i) }));
  return htmlPage({
    title,
    style: COMPARE_STYLE,
    main: `<header><h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(scope(report))}</p></header>
${headline(report)}
${cards(report)}
${shownSection(report)}
${boardSection(report)}
${byKSection(report, drawn)}
${plotSection('How large are the segments?', `One bar for all ${formatNumber(report.rows.all)} customers, one part for each segment, largest first. A dashed part is customers that the algorithm leaves out as noise. Very thin parts are segments too small to act on (needed: ${formatShare(report.plan.smallestShare)} of the customers).`, sizeBars(drawn))}
${plotSection('Are the same segments found again?', `Customers are drawn anew ${report.plan.bootstraps} times (from ${formatNumber(report.rows.trial)} of them) and segmented afresh. Each dot is a segment; it lies at the share of customers that it and its closest new segment have in common (Jaccard similarity). 1 means the very same customers, below ${GATE_NEEDS.stability} one cannot count on meeting the segment again. Large dots are large segments.`, stabilityDots(drawn, GATE_NEEDS.stability))}
${agreementSection(report)}
${costSection(report)}
${prosAndCons(report.candidates)}
${figuresSection(report)}
${notes(report)}`,
  });
}

function scope({ pipeline, asOf, rows, features }: ComparisonReport): string {
  const date = asOf ? ` as of ${asOf}` : '';
  return `Pipeline ${pipeline}${date}: ${formatNumber(rows.all)} customers, told apart by ${features.join(', ')}.`;
}

const VERDICTS = {
  natural: 'Natural groups, found again',
  reproducible: 'A useful cut of one crowd',
  none: 'No segmentation to rely on',
} as const;

function headline({ recommendation }: ComparisonReport): string {
  const { verdict, headline: sentence, reasons } = recommendation;
  return `<p class="headline${verdict === 'none' ? ' none' : ''}"><span class="verdict">${VERDICTS[verdict]}</span>${escapeHtml(sentence)}</p>
<ul class="reasons">${reasons.map((reason) => `<li>${escapeHtml(reason)}</li>`).join('')}</ul>`;
}

function cards({ rows, plan, leaderboard, counts }: ComparisonReport): string {
  const ks = plan.ks.min === plan.ks.max ? `${plan.ks.min}` : `${plan.ks.min} to ${plan.ks.max}`;
  const figures: [string, string, string][] = [
    ['Customers', formatNumber(rows.all), `from ${formatNumber(counts.rowsAccepted)} accepted rows`],
    ['Scored', formatNumber(rows.scored), rows.scored < rows.all ? 'the same sample for all' : 'all of them'],
    ['Candidates', formatNumber(leaderboard.length), `${YARDSTICKS.length} of them yardsticks`],
    ['Segments tried', ks, 'for each that takes a number'],
    [
      'Trials each',
      formatNumber(plan.bootstraps + plan.nullDraws),
      `${plan.bootstraps} resamples, ${plan.nullDraws} without groups`,
    ],
  ];
  const card = ([name, figure, more]: [string, string, string]) =>
    `<div class="card"><span class="soft">${name}</span><strong>${escapeHtml(figure)}</strong><span class="soft">${escapeHtml(more)}</span></div>`;
  return `<div class="cards">${figures.map(card).join('')}</div>`;
}

function shownSection({ shown, features, recommendation }: ComparisonReport): string {
  if (shown === null) return '';
  const isGrid = recommendation.candidate === null;
  const title = isGrid
    ? 'What is offered instead: the rule grid'
    : `The recommended segments: ${shown.title} with ${shown.k}`;
  const picture =
    shown.scatter === null
      ? ''
      : `<div>${scatterPlot(shown.scatter, { features, noise: NOISE })}
<p class="why">Each dot is a customer (${formatNumber(shown.scatter.rows.shown)} of the ${formatNumber(shown.scatter.rows.of)} scored), placed by the two mixtures of features in which customers differ most. Groups that touch are not mistakes: where colours meet, customers are alike and the border is a choice.</p></div>`;
  return `<section><h2>${escapeHtml(title)}</h2><div class="two">${picture}
<div class="scroll"><table><thead><tr><th>Segment</th><th class="number">Customers</th><th class="number">Share</th><th class="number">Spend</th><th>Typical (median)</th></tr></thead>
<tbody>${shown.segments.map(segmentRow).join('\n')}</tbody></table></div></div></section>`;
}

function segmentRow({ name, customers, share, spendShare, typical }: ShownSegment, cluster: number): string {
  return `<tr><td><span class="swatch" style="background:${colour(cluster)}"></span>${escapeHtml(name ?? `${cluster + 1}`)}</td>
<td class="number">${formatNumber(customers)}</td><td class="number">${formatShare(share)}</td><td class="number">${spendShare === null ? '–' : formatShare(spendShare)}</td>
<td>${typical.map(escapeHtml).join('<br>')}</td></tr>`;
}

function byKSection({ rows, plan }: ComparisonReport, drawn: readonly Drawn[]): string {
  const shown = drawn.filter(({ own }) => !YARDSTICKS.includes(own.candidate) && own.fits.length > 0);
  if (shown.length === 0) return '';
  const baseline = shown.find(({ own }) => own.candidate === 'k-means')?.own ?? shown[0]!.own;
  const plots = (
    [
      [
        'silhouette',
        'Silhouette',
        'Is each customer nearer to the own segment than to the next? 1 is perfect, 0 is on the border.',
      ],
      [
        'calinskiHarabasz',
        'Calinski-Harabasz',
        'How far segments are apart, against how wide they are. Larger is better.',
      ],
      [
        'daviesBouldin',
        'Davies-Bouldin',
        'How much each segment overlaps its worst neighbour. Smaller is better.',
      ],
    ] as const
  ).map(
    ([criterion, title, why]) =>
      `<div><h3>${title}</h3>${scoresByK(shown, { criterion, baseline })}<p class="why">${why}</p></div>`,
  );
  const key = shown.map(
    ({ own, colour: fill }) => `<span><i style="background:${fill}"></i>${escapeHtml(own.title)}</span>`,
  );
  return `<section><h2>Scores by number of segments</h2>
<p class="why">Any algorithm finds groups in any data. The grey band is what ${escapeHtml(baseline.title)} scores on ${plan.nullDraws} data sets that have the same figures and correlations but no groups: inside the band its own line has found nothing. The others have bands of their own, which are in the leaderboard and in their scores. Scored on ${formatNumber(rows.scored)} of ${formatNumber(rows.all)} customers; noise is left out.</p>
<p class="key">${key.join('')}<span><i class="null"></i>${escapeHtml(baseline.title)} on data without groups</span></p>
<div class="three">${plots.join('')}</div></section>`;
}

function plotSection(title: string, why: string, plot: string): string {
  return plot === '' ? '' : `<section><h2>${title}</h2>${plot}<p class="why">${why}</p></section>`;
}

function agreementSection({ agreement, candidates, rows }: ComparisonReport): string {
  const titles = new Map(candidates.map(({ candidate, title }) => [candidate, title]));
  const why = `Do two algorithms put the same customers together? 1 means the same segments, 0 no more than chance (adjusted Rand index, on ${formatNumber(rows.scored)} customers; noise counts as one group). Each is at its best number of segments; different numbers agree less. Where unlike algorithms agree, the segments owe little to the algorithm; where they do not, they owe it much. The kinds of k-means agree with each other on any data.`;
  return plotSection('Do the candidates agree?', why, agreementMap(agreement, titles));
}

function costSection({ leaderboard, rows }: ComparisonReport): string {
  return `<section><h2>What does it cost?</h2><div class="two">
<div><h3>Time of one fit</h3>${costBars(leaderboard, 'time')}</div>
<div><h3>Memory while it was measured</h3>${costBars(leaderboard, 'memory')}</div></div>
<p class="why">Time: one fit to ${formatNumber(rows.all)} customers, on the machine that made this report. Memory: by how much the worker process grew at most while the candidate was measured, everything included. Bars are logarithmic: a bar half as long again is many times as much.</p></section>`;
}

function prosAndCons(candidates: readonly ReportedCandidate[]): string {
  const points = (kind: 'pro' | 'con', texts: readonly string[]) =>
    texts.map((text) => `<li class="${kind}">${escapeHtml(text)}</li>`).join('');
  const card = ({ title, fits, best, pros, cons }: ReportedCandidate) =>
    `<article class="card"><h3>${escapeHtml(title)}${best === null ? '' : ` <span class="soft">k = ${fits[best]!.k}</span>`}</h3><ul>${points('pro', pros)}${points('con', cons)}</ul></article>`;
  return `<section><h2>For and against, on these customers</h2><div class="cards candidates">${candidates.map(card).join('\n')}</div></section>`;
}

function notes({ plan, rows, seed }: ComparisonReport): string {
  const lines = [
    `Each candidate was fitted to ${formatNumber(rows.all)} customers; where an algorithm works on a sample, its card says so.`,
    `Scores are of ${formatNumber(rows.scored)} customers, the same for all, drawn from every cell of the rule grid, where there is one, in its share.`,
    `Stability: ${plan.bootstraps} resamples of ${formatNumber(rows.trial)} of these customers, each segmented afresh (clusterwise bootstrap, Hennig 2007).`,
    `Data without groups: ${plan.nullDraws} draws of ${formatNumber(rows.trial)} customers with the same margins and rank correlations but a single hump. The score of a candidate is the mean over silhouette, Calinski-Harabasz and Davies-Bouldin of how many standard deviations it is above these, each at most 10.`,
    `Natural: between every two neighbouring segments the density falls to ${formatShare(DEEP_VALLEY)} of the lower peak or further, which at most ${formatShare(SIGNIFICANCE)} of the data sets without groups show.`,
    `Gates come first: every segment found again (${GATE_NEEDS.stability}, less two standard errors), none below ${formatShare(plan.smallestShare)}, ${formatShare(GATE_NEEDS.assignable)} of the customers put into the same segment again, ${formatShare(GATE_NEEDS.fidelity)} reproduced by the nearest segment mean, within ${plan.budgetSeconds} s.`,
    'Random groups and the rule grid are yardsticks. They are measured like the others and do not compete.',
    `Seed ${seed}: the same extract, definition and seed give the same segments and scores; times and memory differ.`,
  ];
  return `<section><h2>How this was measured</h2><ul>${lines.map((words) => `<li>${escapeHtml(words)}</li>`).join('')}</ul></section>`;
}
