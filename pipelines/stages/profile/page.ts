import { formatMoney, formatNumber, formatShare } from '../figures.ts';
import { htmlPage } from '../html-page.ts';
import type { ProfileChanges } from './compare-profiles.ts';
import { changesSection } from './page-changes.ts';
import { columnsSection, correlationsSection } from './page-columns.ts';
import { issuesSection, rulesSection } from './page-issues.ts';
import { readinessSection } from './page-readiness.ts';
import { timeSection } from './page-time.ts';
import { escapeHtml } from './plots.ts';
import { type ProfileReport, shareOf } from './report.ts';
import { PROFILE_STYLE } from './style.ts';

/**
 * The report as one HTML page without scripts and without anything to load, the same bytes for equal reports.
 * Some 150 KB for a shop's ten columns, under 10 MB for two hundred.
 *
 * @param changes since the last published run; null without one
 */
export function renderProfilePage(report: ProfileReport, changes: ProfileChanges | null = null): string {
  const title = `${report.title}: the extract as of ${report.asOf}`;
  const sections = [
    ...(changes ? [{ id: 'changes', name: 'What changed', html: changesSection(changes) }] : []),
    { id: 'issues', name: 'Data quality', html: issuesSection(report) },
    { id: 'rules', name: 'Contract', html: rulesSection(report) },
    { id: 'time', name: 'Time', html: timeSection(report) },
    { id: 'columns', name: 'Columns', html: columnsSection(report) },
    { id: 'correlations', name: 'Correlations', html: correlationsSection(report) },
    { id: 'readiness', name: 'Segmentation readiness', html: readinessSection(report) },
    { id: 'made', name: 'How this was made', html: notesSection(report) },
  ].filter(({ html }) => html !== '');
  const contents = sections.map(({ id, name }) => `<a href="#${id}">${name}</a>`).join('');
  return htmlPage({
    title,
    style: PROFILE_STYLE,
    main: `<header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(period(report))} Money in ${escapeHtml(report.currency)}, times of ${escapeHtml(report.timezone)}.</p>
</header>
${cards(report)}
<nav aria-label="Contents">${contents}</nav>
${sections.map(({ id, name, html }) => `<section id="${id}"><h2>${name}</h2>\n${html}\n</section>`).join('\n')}`,
  });
}

function period({ from, to, watermark }: ProfileReport): string {
  const newest = `The newest row of the source is from ${watermark.replace('T', ' ')}.`;
  return from === null
    ? `No order has a date that can be read. ${newest}`
    : `Orders from ${from} to ${to}. ${newest}`;
}

function cards(report: ProfileReport): string {
  const { rows, accepted, currency, issues, orders } = report;
  const serious = issues.filter(({ severity }) => severity === 'serious').length;
  const figures: [string, string, string][] = [
    ['Rows', formatNumber(rows), `${formatNumber(accepted)} accepted`],
    ['Refused', formatShare(shareOf(rows - accepted, rows)), `${formatNumber(rows - accepted)} rows`],
    ['Customers', formatNumber(report.customers), 'with or without an accepted row'],
    ...(orders === null
      ? []
      : [
          [
            'Orders',
            `${orders.isEstimate ? '≈ ' : ''}${formatNumber(orders.count)}`,
            'returns among them',
          ] as [string, string, string],
        ]),
    ['Accepted sales', formatMoney(report.acceptedAmount, currency), 'without refused rows'],
    [
      'Issues',
      formatNumber(issues.length),
      serious > 0 ? `${serious} of them serious` : 'none of them serious',
    ],
  ];
  const card = ([name, figure, more]: [string, string, string]) =>
    `<div class="card"><span class="soft">${name}</span><strong>${escapeHtml(figure)}</strong><span class="soft">${escapeHtml(more)}</span></div>`;
  return `<div class="cards">${figures.map(card).join('')}</div>`;
}

function notesSection({ notes }: ProfileReport): string {
  return `<ul>${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`;
}
