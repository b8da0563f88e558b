import { DEEP_VALLEY } from '../../numeric/cluster/choice/rank-candidates.ts';
import type { GateResult, LeaderboardRow } from '../contracts/compare.ts';
import { GATE_NEEDS } from './compare-ranking.ts';
import type { ComparisonReport } from './compare-report.ts';
import { line, rect, svg } from './compare-svg.ts';
import { duration, signed } from './compare-words.ts';
import { formatNumber, formatShare } from './figures.ts';
import { escapeHtml } from './profile/plots.ts';

/** The leaderboard: yardsticks first, then the candidates by rank, gates as ticks with their figures. */
export function boardSection({ leaderboard, plan, rows }: ComparisonReport): string {
  const silhouettes = leaderboard.flatMap(({ silhouette, nullSilhouette }) => [
    silhouette ?? 0,
    nullSilhouette ?? 0,
  ]);
  const most = Math.max(0.1, ...silhouettes);
  return `<section><h2>Leaderboard</h2>
<p class="why">Each candidate at its best number of segments. First come the gates: a candidate that misses one (✗) stands behind all that pass and is not recommended, however well it scores. Then the score: by how many standard deviations it is better than the same algorithm on data without groups; below about 3 may be chance. In the bars the mark is the silhouette on data without groups. Valley: how far the density of customers falls between the two most alike segments; near 100 % it does not fall, and the border is a convention; natural groups need ${formatShare(DEEP_VALLEY)} or less.</p>
<div class="scroll"><table class="board"><thead><tr><th></th><th>Candidate</th><th class="number">k</th><th class="number">Score</th><th>Silhouette</th><th class="number">Valley<br><span class="soft">≤ ${formatShare(DEEP_VALLEY)}</span></th>
<th>Found again<br><span class="soft">≥ ${GATE_NEEDS.stability}</span></th><th>Smallest<br><span class="soft">≥ ${formatShare(plan.smallestShare)}</span></th><th>Assignable<br><span class="soft">≥ ${formatShare(GATE_NEEDS.assignable)}</span></th><th>As a rule<br><span class="soft">≥ ${formatShare(GATE_NEEDS.fidelity)}</span></th><th>Time<br><span class="soft">≤ ${plan.budgetSeconds} s</span></th></tr></thead>
<tbody>${leaderboard.map((row) => boardRow(row, most)).join('\n')}</tbody></table></div>
<p class="why">On ${formatNumber(rows.scored)} of ${formatNumber(rows.all)} customers. Yardsticks have no rank: random groups know nothing of the customers, the rule grid is what there is without any algorithm. Found again: the least stable segment's Jaccard similarity, less two standard errors for the chance of the resamples.</p></section>`;
}

function boardRow(row: LeaderboardRow, most: number): string {
  const { rank, title, k, score, silhouette, status, reason } = row;
  const isYardstick = rank === null && row.gates.length > 0;
  const isFirst = rank === 1 && row.gates.every(({ passed }) => passed);
  const classes = isFirst ? ' class="first"' : isYardstick ? ' class="yardstick"' : '';
  const note = status === 'partly' ? ` <span class="no" title="${escapeHtml(reason ?? '')}">◐</span>` : '';
  const head = `<td>${rank ?? ''}</td><td>${escapeHtml(title)}${note}</td>`;
  if (row.gates.length === 0)
    return `<tr${classes}>${head}<td colspan="9" class="soft">${escapeHtml(reason ?? 'nothing was measured')}</td></tr>`;
  const gates = row.gates.map((gate) => `<td>${gateCell(gate)}</td>`);
  return `<tr${classes}>${head}<td class="number">${k ?? ''}</td><td class="number">${score === null ? '–' : signed(score)}</td>
<td>${silhouette === null ? '–' : `${bar(row, most)}`}</td>
<td class="number">${valleyCell(row)}</td>${gates.join('')}</tr>`;
}

function bar({ silhouette, nullSilhouette, silhouetteZ }: LeaderboardRow, most: number): string {
  const [width, zero] = [130, 44];
  const x = (value: number) => zero + (Math.max(0, value) / most) * (width - zero - 2);
  const z = silhouetteZ === null ? '' : `, ${signed(silhouetteZ)} standard deviations`;
  const tip = `silhouette ${silhouette!.toFixed(3)}, without groups ${nullSilhouette?.toFixed(3) ?? 'none'}${z}`;
  return svg({ width, height: 16, label: tip }, [
    `<text x="0" y="12">${silhouette!.toFixed(3)}</text>`,
    rect({ x: zero, y: 3, width: Math.max(1, x(silhouette!) - zero), height: 10 }, 'class="figure"', tip),
    nullSilhouette === null ? '' : line([x(nullSilhouette), 0], [x(nullSilhouette), 16], 'null-tick'),
  ]);
}

function valleyCell({ valley, isNatural }: LeaderboardRow): string {
  if (valley === null) return '–';
  const share = formatShare(Math.min(1, valley));
  return isNatural ? `<span class="yes">${share}</span>` : share;
}

function gateCell({ gate, passed, found }: GateResult): string {
  const figure =
    gate === 'stability' ? found.toFixed(2) : gate === 'budget' ? duration(found * 1000) : formatShare(found);
  return `<span class="${passed ? 'yes' : 'no'}">${passed ? '✓' : '✗'}</span> ${figure}`;
}
