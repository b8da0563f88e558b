import { formatMoney, formatNumber } from '../figures.ts';
import type { Coverage } from './coverage.ts';
import { amountsPlot, escapeHtml, monthsPlot, weekPlot } from './plots.ts';
import type { ProfileReport } from './report.ts';

const WEEKDAYS = ['Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays', 'Sundays'];

export function timeSection(report: ProfileReport): string {
  const { months, rowsBefore, currency, week, coverage } = report;
  if (months.length === 0) return '';
  const older =
    rowsBefore > 0
      ? `<p class="soft">${formatNumber(rowsBefore)} rows are older than what is shown.</p>`
      : '';
  return `<p class="legend">Rows per month: <i class="accepted"></i>accepted <i class="refused"></i>refused</p>
<div class="wide">${monthsPlot(months)}</div>${older}
<h3>Accepted sales per month, ${escapeHtml(currency)}</h3>
<div class="wide">${amountsPlot(months, (amount) => formatMoney(amount, currency))}</div>
<div class="two"><div><h3>When in the week</h3>${weekPlot(week)}</div>
<div><h3>Which days there are</h3>${coverage === null ? '' : coverageFacts(coverage)}</div></div>`;
}

function coverageFacts({
  days,
  daysWithRows,
  quietWeekdays,
  unit,
  gaps,
  loneDays,
  cutMonth,
}: Coverage): string {
  const quiet = quietWeekdays.map((weekday) => WEEKDAYS[weekday]!).join(' and ');
  const facts = [
    `${formatNumber(daysWithRows)} of ${formatNumber(days)} days have rows.`,
    ...(quiet ? [`There is hardly any trade on ${quiet}: a pattern, no gap.`] : []),
    ...(cutMonth
      ? [
          `The last month, ${cutMonth.month}, ends with ${cutMonth.lastDay}: it cannot be compared with whole ones.`,
        ]
      : []),
    ...(unit === 'day' ? [] : [`Rows are too few to look for single days; gaps are told by ${unit}s.`]),
    gaps.length === 0
      ? `No stretch without rows${loneDays > 0 ? `, but ${loneDays} single ${unit}s` : ''}.`
      : `Stretches without rows${loneDays > 0 ? `, beside ${loneDays} single ${unit}s` : ''}:`,
  ];
  const rows = gaps.map(
    ({ from, to, missing }) =>
      `<tr><td>${from}</td><td>${to}</td><td class="number">${formatNumber(missing)}</td></tr>`,
  );
  const table =
    rows.length === 0
      ? ''
      : `<table><thead><tr><th>From</th><th>To</th><th class="number">Expected ${unit}s</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  return `<ul>${facts.map((fact) => `<li>${escapeHtml(fact)}</li>`).join('')}</ul>${table}`;
}
