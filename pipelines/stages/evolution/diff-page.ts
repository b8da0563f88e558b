import { counted, formatNumber, formatShare } from '../figures.ts';
import { htmlPage } from '../html-page.ts';
import { escapeHtml } from '../profile/plots.ts';
import type { DiffReport, DiffSegment, MatrixCell } from './diff.ts';
import type { Difference } from './model-by-data.ts';
import {
  beforeAfter,
  moneyText,
  prose,
  questionableBadge,
  section,
  sentenceList,
  swatch,
  why,
} from './page-parts.ts';
import { causeKey } from './plots.ts';
import { dateWords } from './published.ts';
import { EVOLUTION_STYLE, segmentColour } from './style.ts';
import { becameWords, growth, money } from './words.ts';

/** The comparison as one page without scripts and without anything to load, the same bytes for equal reports. */
export function renderDiffPage(report: DiffReport): string {
  const { before, after } = report;
  const title = `${report.title}: from ${dateWords(before.asOf)} to ${dateWords(after.asOf)}`;
  return htmlPage({
    title,
    style: EVOLUTION_STYLE,
    main: `<header><h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(scope(report))}</p></header>
${doubts(report)}
${sentenceList(report.sentences)}
${section('segments', 'Segments before and after', segmentsSection(report))}
${section('matrix', 'Who went where', matrixSection(report))}
${section('causes', 'The model or the data?', modelByDataSection(report))}
${section('figures', 'Figures that changed', figuresSection(report))}
${section('definition', 'What is defined otherwise', definitionSection(report))}
${section('verdict', 'What the audit would say of this step', verdictSection(report))}`,
  });
}

function scope({ pipeline, before, after, between }: DiffReport): string {
  const apart = between === 0 ? '' : `, ${counted(between, 'publication')} between them`;
  return `Pipeline ${pipeline}, run ${before.runId} beside run ${after.runId}${apart}.`;
}

function doubts({ doubts: found }: DiffReport): string {
  if (found.length === 0) return '';
  const items = found.map((doubt) => `<li>${escapeHtml(doubt)}</li>`).join('');
  return `<div class="doubts"><strong>Read with care</strong><ul>${items}</ul></div>`;
}

function namesOf({ segments }: DiffReport): Map<string, string> {
  return new Map(segments.map(({ segmentId, name }) => [segmentId, name]));
}

function segmentsSection(report: DiffReport): string {
  const names = namesOf(report);
  const { currency, before, after } = report;
  const hasMoney = before.spendCents !== null && after.spendCents !== null;
  const rows = report.segments.map((segment, i) => {
    const { before: was, after: is } = segment;
    const called = was && is && was.name !== is.name ? `, called "${was.name}" before` : '';
    const became = becameWords(segment, (id) => `"${names.get(id) ?? id}"`);
    const spend = hasMoney
      ? `<td class="number">${beforeAfter(was?.spendCents, is?.spendCents, (cents) => money(cents, currency))}</td><td class="number">${beforeAfter(was?.spendShare, is?.spendShare, formatShare)}</td>`
      : '';
    return `<tr><td class="text">${swatch(segmentColour(i))}${escapeHtml(segment.name)}${questionableBadge(is)}</td><td class="number">${beforeAfter(was?.customers, is?.customers)}</td>
<td class="number">${was && is ? growth(was.customers, is.customers) : ''}</td><td class="number">${beforeAfter(was?.share, is?.share, formatShare)}</td>${spend}<td class="text">${escapeHtml(became + called)}</td></tr>`;
  });
  return `<div class="scroll"><table class="even"><thead><tr><th>Segment</th><th class="number">Customers</th><th></th><th class="number">of all</th>${hasMoney ? '<th class="number">Spend</th><th class="number">of all</th>' : ''}<th>What became of it</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

function matrixSection(report: DiffReport): string {
  const { matrix, segments } = report;
  if (matrix.length === 0) return why('No customer is in either run.');
  const hasMoney = matrix.some(({ cents }) => cents !== null);
  const place = (id: string) => segments.findIndex(({ segmentId }) => segmentId === id);
  const head = matrix[0]!.cells.map(({ to }) =>
    to === null
      ? '<th class="to">lost</th>'
      : `<th class="to">${swatch(segmentColour(place(to)))}${escapeHtml(segments[place(to)]!.name)}</th>`,
  );
  const rows = (cellOf: (cell: MatrixCell) => string, all: (row: DiffReport['matrix'][number]) => string) =>
    matrix.map((row) => {
      const name =
        row.from === null
          ? 'new'
          : `${swatch(segmentColour(place(row.from)))}${escapeHtml(segments[place(row.from)]!.name)}`;
      const cells = matrix[0]!.cells.map(({ to }) => row.cells.find((cell) => cell.to === to));
      return `<tr><th class="way">${name}</th><td>${all(row)}</td>${cells.map((cell) => (cell ? cellOf(cell) : '<td class="none">–</td>')).join('')}</tr>`;
    });
  const table = (caption: string, body: string[]) =>
    `<h3>${caption}</h3><div class="scroll"><table class="matrix"><thead><tr><th>from</th><th class="to">all</th>${head.join('')}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
  const ofMoney = hasMoney
    ? table(
        'In money',
        rows(
          (cell) => moneyCell(cell, report.currency),
          ({ cents }) => moneyText(cents, report.currency),
        ),
      )
    : '';
  return `${why('Each row says where the customers of a segment of before are now. Under a number stands its share of the row, and where that share lies with a probability of 95 % given how few customers it is of. Money is what they have spent as of the later run; of the lost, as of the earlier one.')}
${table(
  'In customers',
  rows(customerCell, ({ customers }) => formatNumber(customers)),
)}
${ofMoney}`;
}

/** The darker, the larger a part of the row. */
function shade(share: number): string {
  return `style="background:color-mix(in srgb, var(--accepted) ${Math.round(Math.min(1, Math.max(0, share)) * 46)}%, var(--card))"`;
}

function customerCell({ customers, share, low, high, causes }: MatrixCell): string {
  if (customers === 0) return `<td class="none" ${shade(0)}>0<small>0 to ${formatShare(high)}</small></td>`;
  const causeTip = causes
    ? ` title="${(['behaviour', 'model', 'border'] as const).map((cause) => `${cause} ${formatNumber(causes[cause])}`).join(', ')}"`
    : '';
  return `<td ${shade(share)}${causeTip}>${formatNumber(customers)} · ${formatShare(share)}<small>${formatShare(low)} to ${formatShare(high)}</small></td>`;
}

function moneyCell({ cents, moneyShare, customers }: MatrixCell, currency: string): string {
  if (customers === 0 || cents === null) return `<td class="none" ${shade(0)}>–</td>`;
  if (moneyShare === null) return `<td ${shade(0)}>${moneyText(cents, currency)}</td>`;
  const { share, low, high } = moneyShare;
  return `<td ${shade(share)}>${moneyText(cents, currency)} · ${formatShare(share)}<small>${formatShare(low)} to ${formatShare(high)}</small></td>`;
}

function modelByDataSection(report: DiffReport): string {
  const { modelByData, totals } = report;
  if (modelByData === null) return why('No customer is in both runs.');
  const arrow = (difference: Difference | null, sign: string, what: string) =>
    difference === null
      ? `<td class="arrow">${sign}<br>cannot be read</td>`
      : `<td class="arrow">${sign} ${formatShare(difference.share)} elsewhere<br>agreement ${difference.adjustedRand.toFixed(2)}<br>${what}</td>`;
  const cell = (model: 'old' | 'new', figures: 'old' | 'new') => {
    const { sizes } = modelByData.cells.find((one) => one.model === model && one.figures === figures)!;
    const title = `<strong>${model} model, ${figures} figures</strong>`;
    return `<td>${title}${sizes === null ? '<span class="soft">cannot read them</span>' : sizeBar(report, sizes, modelByData.common)}</td>`;
  };
  const { both } = modelByData;
  const causes = totals.causes ? `${causeKey()}${causeBar(totals.causes)}` : '';
  return `${why(`The ${formatNumber(modelByData.common)} customers who are in both runs, put into segments four times. To the right the model stays and their figures change: what differs is their own doing. Downward the figures stay and the model changes: what differs is the model's doing. Agreement is the adjusted Rand index: 1 the same groups, 0 as by chance.`)}
<div class="scroll"><table class="two-by-two"><tbody>
<tr>${cell('old', 'old')}${arrow(modelByData.sameModelNewData, '→', 'same model, new data')}${cell('old', 'new')}</tr>
<tr>${arrow(modelByData.newModelOldData, '↓', 'new model, old data')}<td class="arrow">↘ ${formatShare(both.share)} elsewhere<br>agreement ${both.adjustedRand.toFixed(2)}<br>both changed</td>${arrow(modelByData.newModelSameData, '↓', 'new model, same data')}</tr>
<tr>${cell('new', 'old')}${arrow(modelByData.newModelNewData, '→', 'new model, both data')}${cell('new', 'new')}</tr>
</tbody></table></div>
${causes}`;
}

function sizeBar(
  { segments }: DiffReport,
  sizes: readonly { segmentId: string; customers: number }[],
  all: number,
): string {
  const parts = sizes.map(({ segmentId, customers }) => {
    const i = segments.findIndex((segment) => segment.segmentId === segmentId);
    const tip = `${segments[i]!.name}: ${formatNumber(customers)} customers, ${formatShare(customers / all)}`;
    return { colour: segmentColour(i), share: customers / all, tip };
  });
  return stack(parts);
}

function causeBar(causes: Record<'behaviour' | 'model' | 'border', number>): string {
  const all = causes.behaviour + causes.model + causes.border;
  if (all === 0) return '';
  const parts = (['behaviour', 'model', 'border'] as const).map((cause) => ({
    colour: `var(--${cause})`,
    share: causes[cause] / all,
    tip: `${cause}: ${formatNumber(causes[cause])} customers, ${formatShare(causes[cause] / all)} of the moves`,
  }));
  return `<p>${formatNumber(all)} moves: ${parts.map(({ tip }) => escapeHtml(tip)).join('; ')}.</p>${stack(parts)}`;
}

function stack(parts: readonly { colour: string; share: number; tip: string }[]): string {
  let at = 0;
  const stops = parts.map(({ colour, share }) => {
    const from = at;
    at += share * 100;
    return `${colour} ${from.toFixed(2)}% ${at.toFixed(2)}%`;
  });
  const tip = escapeHtml(parts.map((part) => part.tip).join('\n'));
  return `<span class="stack" role="img" aria-label="${tip}" title="${tip}" style="background:linear-gradient(to right, ${stops.join(', ')})"></span>`;
}

const TOLD = 5;

function figuresSection({ features, segments, drift }: DiffReport): string {
  const line = (changes: readonly { words: string }[]) =>
    `<dd>${prose(
      changes
        .slice(0, TOLD)
        .map(({ words }) => words)
        .join('; '),
    )}.</dd>`;
  const ofSegments = segments.flatMap(({ name, changes }: DiffSegment, i) =>
    changes.length === 0 ? [] : [`<dt>${swatch(segmentColour(i))}${escapeHtml(name)}</dt>${line(changes)}`],
  );
  if (features.length === 0 && ofSegments.length === 0)
    return why('No figure changed by more than chance and a tenth of a standard deviation.');
  const all = features.length === 0 ? '' : `<dt>All customers</dt>${line(features)}`;
  const shifted = drift
    .map(
      ({ feature, psi, criticalValue, isMajor }) =>
        `${feature} ${psi.toFixed(2)}${isMajor ? ' (major)' : psi > criticalValue ? '' : ' (chance)'}`,
    )
    .join(', ');
  const index =
    shifted === '' ? '' : why(`Population stability index of what segments are made of: ${shifted}.`);
  return `<dl class="changes">${all}${ofSegments.join('\n')}</dl>${index}`;
}

function definitionSection({ definitionChanges }: DiffReport): string {
  if (definitionChanges.length === 0)
    return why(
      'Nothing: both runs were made by the same features, bands and number of segments to choose from.',
    );
  return sentenceList(
    definitionChanges.map(({ what, isDoubtful }) =>
      isDoubtful ? `${what} (makes the comparison doubtful)` : what,
    ),
    'ul',
  );
}

function verdictSection({ verdict, reasons, agreement }: DiffReport): string {
  const found = [
    ['adjusted Rand index', agreement.adjustedRand],
    ['adjusted mutual information', agreement.adjustedMutualInformation],
    ['adjusted Rand index of both models on the later figures', agreement.adjustedRandOfModels],
  ].flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${value.toFixed(3)}`] : []));
  return `<p>As if the later run had been compared with the earlier one: <span class="verdict-${verdict}">${verdict}</span>.</p>
${sentenceList([...reasons, `${formatNumber(agreement.common)} common customers: ${found.join(', ')}`], 'ul')}`;
}
