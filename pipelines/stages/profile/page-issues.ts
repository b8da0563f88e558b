import { formatNumber, formatShare } from '../figures.ts';
import type { Issue, Severity } from './issues.ts';
import { escapeHtml } from './plots.ts';
import { type ProfileReport, shareOf } from './report.ts';

const WORDS: Record<Severity, string> = { serious: 'serious', look: 'look at it', note: 'note' };

/** With nothing worse, so many notes are shown without being asked for. */
const MOST_NOTES_OPEN = 8;

export function chip(severity: Severity): string {
  return `<span class="chip ${severity}">${WORDS[severity]}</span>`;
}

/** Worst first; what the contract refuses already is folded away. */
export function issuesSection({ issues }: ProfileReport): string {
  if (issues.length === 0) return '<p>Nothing was found by the general rules.</p>';
  const shown = issues.filter(({ severity }) => severity !== 'note');
  const notes = issues.filter(({ severity }) => severity === 'note');
  const intro =
    '<p class="soft">Found by rules that know nothing of this shop; a proposal is for a person to decide. “Let through” are the rows that the contract accepts as it is.</p>';
  const folded =
    notes.length === 0
      ? ''
      : `<details${shown.length === 0 && notes.length <= MOST_NOTES_OPEN ? ' open' : ''}><summary>${notes.length} good to know${shown.length > 0 ? ', most of them refused by the contract already' : ''}</summary>${notes.map(issueCard).join('\n')}</details>`;
  return `${intro}\n${shown.map(issueCard).join('\n')}\n${folded}`;
}

function issueCard(issue: Issue): string {
  const { severity, where, what, rows, share, letThrough, cleanUp, line, lineFor } = issue;
  const counts = [
    rows === null ? '' : `${formatNumber(rows)} ${rows === 1 ? 'row' : 'rows'}`,
    share === null ? '' : formatShare(share),
    letThrough === null
      ? ''
      : letThrough === 0
        ? 'none let through'
        : `${formatNumber(letThrough)} let through`,
  ].filter((text) => text !== '');
  const code =
    line === null
      ? ''
      : `<p class="proposal"><code>${escapeHtml(line)}</code>${lineFor ? ` <span class="soft">${lineFor}</span>` : ''}</p>`;
  return `<article class="issue ${severity}"><p class="head">${chip(severity)} <b class="name">${escapeHtml(where ?? 'extract')}</b> <span class="soft">${counts.join(' · ')}</span></p>
<p>${escapeHtml(capital(what))}.</p><p class="soft">${escapeHtml(cleanUp)}</p>${code}</article>`;
}

export function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

export function rulesSection({ rules, rows, unreadable, unreadableLines }: ProfileReport): string {
  const most = Math.max(...rules.map((rule) => rule.rows), 1);
  const line = (rule: ProfileReport['rules'][number]) => `<tr${rule.rows === 0 ? ' class="none"' : ''}>
<td class="name">${escapeHtml(rule.name)}</td><td>${escapeHtml(rule.reason)}</td><td>${rule.severity === 'warn' ? 'kept' : 'refused'}</td>
<td class="number">${formatNumber(rule.rows)}</td><td class="number">${formatShare(shareOf(rule.rows, rows))}</td>
<td class="meter"><span class="${rule.severity === 'warn' ? 'money' : 'refused'}" style="width:${Math.round((rule.rows / most) * 100)}%"></span></td></tr>`;
  const kinds = unreadable
    .map((found) => `${formatNumber(found.rows)} in ${escapeHtml(found.column)}`)
    .join(', ');
  return `<div class="scroll"><table><thead><tr><th>Rule</th><th>Why</th><th>Such a row is</th><th class="number">Rows</th><th class="number">Share</th><th></th></tr></thead>
<tbody>${rules.map(line).join('\n')}</tbody></table></div>
${kinds ? `<p class="soft">Values that were there and could not be read: ${kinds}.</p>` : ''}${unreadableLines > 0 ? `<p class="soft">Lines that could not be split into columns: ${formatNumber(unreadableLines)}.</p>` : ''}`;
}
