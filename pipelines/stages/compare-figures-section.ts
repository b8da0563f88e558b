import type { ComparisonReport, GradedFit, ReportedCandidate } from './compare-report.ts';
import { duration, signed } from './compare-words.ts';
import { formatNumber, formatShare } from './figures.ts';
import { escapeHtml } from './profile/plots.ts';

/** Every figure of every candidate at every number of segments, folded away: for who wants to check. */
export function figuresSection({ candidates, rows }: ComparisonReport): string {
  const lines = candidates.flatMap((own) => [
    ...own.fits.map((fit, i) => figureRow(own, fit, i)),
    ...own.failures.map((lost) => failureRow(own, lost)),
  ]);
  return `<section><h2>All figures</h2><details><summary>${formatNumber(lines.length)} segmentations, each with its scores (${formatNumber(rows.scored)} customers scored)</summary>
<div class="scroll"><table class="board"><thead><tr><th>Candidate</th><th class="number">k</th><th class="number">Score</th><th class="number">Silhouette</th><th class="number">C-H</th><th class="number">D-B</th>
<th class="number">Found again</th><th class="number">Valley</th><th class="number">Smallest</th><th class="number">Noise</th><th class="number">As a rule</th><th class="number">Fitted on</th><th class="number">Time</th><th>Its own criteria</th></tr></thead>
<tbody>${lines.join('\n')}</tbody></table></div></details></section>`;
}

function figureRow({ title, best }: ReportedCandidate, fit: GradedFit, i: number): string {
  const { scores, score, criteria } = fit;
  const own = Object.entries(criteria).map(([name, value]) => `${escapeHtml(name)} ${formatNumber(value)}`);
  const cells = [
    `${fit.k}`,
    score === null ? '–' : signed(score),
    scores ? scores.silhouette.toFixed(3) : '–',
    scores ? formatNumber(scores.calinskiHarabasz) : '–',
    scores ? scores.daviesBouldin.toFixed(2) : '–',
    fit.minJaccard.toFixed(2),
    fit.valley === null ? '–' : formatShare(Math.min(1, fit.valley)),
    formatShare(fit.smallestShare),
    formatShare(fit.noiseShare),
    formatShare(fit.fidelity),
    formatNumber(fit.fittedOn.rows),
    duration(fit.fitMs),
  ];
  return `<tr${i === best ? ' class="first"' : ''}><td>${escapeHtml(title)}</td>${cells.map((cell) => `<td class="number">${cell}</td>`).join('')}<td class="soft">${own.join(', ')}</td></tr>`;
}

function failureRow(
  { title }: ReportedCandidate,
  { askedK, reason }: ReportedCandidate['failures'][number],
): string {
  return `<tr><td>${escapeHtml(title)}</td><td class="number">${askedK ?? ''}</td><td colspan="12" class="soft">${escapeHtml(reason)}</td></tr>`;
}
