import { formatNumber } from '../figures.ts';
import { escapeHtml } from '../profile/plots.ts';
import type { PublishedRun, SegmentState } from './published.ts';
import { money } from './words.ts';

// What the pages of diff and evolution have in common.

export function section(id: string, title: string, html: string): string {
  return html === '' ? '' : `<section id="${id}"><h2>${escapeHtml(title)}</h2>\n${html}\n</section>`;
}

/** A text of sentences, with the arrows of figures drawn as such. */
export function prose(text: string): string {
  return escapeHtml(text).replaceAll(' -&#62; ', ' → ');
}

export function sentenceList(sentences: readonly string[], tag: 'ol' | 'ul' = 'ol'): string {
  return `<${tag} class="told">${sentences.map((sentence) => `<li>${prose(sentence)}</li>`).join('')}</${tag}>`;
}

export function why(text: string): string {
  return `<p class="why">${escapeHtml(text)}</p>`;
}

export function swatch(colour: string): string {
  return `<span class="swatch" style="background:${colour}"></span>`;
}

export function questionableBadge(state: Pick<SegmentState, 'nameStatus'> | null): string {
  return state?.nameStatus === 'questionable' ? ' <span class="badge">questionable</span>' : '';
}

export function verdictWord({ verdict }: Pick<PublishedRun, 'verdict'>): string {
  return verdict === null ? '–' : `<span class="verdict-${verdict}">${verdict}</span>`;
}

export function moneyText(cents: number | null, currency: string): string {
  return cents === null ? '–' : escapeHtml(money(cents, currency));
}

/** `1,248 -> 974`, with a dash for where it is not there. */
export function beforeAfter(
  before: number | null | undefined,
  after: number | null | undefined,
  format: (value: number) => string = formatNumber,
): string {
  const said = (value: number | null | undefined) => (value == null ? '–' : escapeHtml(format(value)));
  return `${said(before)} → ${said(after)}`;
}
