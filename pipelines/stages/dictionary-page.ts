import {
  type Dictionary,
  type DictionaryEntry,
  type LiveFigures,
  nullRuleText,
  windowText,
} from './dictionary.ts';
import { type FigureFormat, formatFigure, formatNumber } from './figures.ts';
import { htmlPage } from './html-page.ts';
import { escapeHtml } from './profile/plots.ts';
import { PAGE_STYLE } from './profile/style.ts';

const STYLE = `${PAGE_STYLE}
main { max-width: 1080px; }
.entry { margin-top: 14px; display: grid; grid-template-columns: minmax(0, 1fr) 260px; gap: 6px 28px; scroll-margin-top: 12px; }
.entry h3 { margin: 0; font: 600 16px ui-monospace, monospace; }
.entry h3 small { font: 13px system-ui, sans-serif; color: var(--soft); margin-left: 8px; }
.entry.plain { grid-template-columns: minmax(0, 1fr); }
pre { margin: 8px 0; padding: 8px 10px; border: 1px solid var(--line); border-radius: 6px; background: var(--paper); font: 12.5px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 14px; margin: 8px 0 0; font-size: 13.5px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.chain { display: flex; flex-wrap: wrap; gap: 4px 6px; align-items: center; margin-top: 10px; font-size: 12.5px; }
.chain span { border: 1px solid var(--line); border-radius: 5px; padding: 1px 7px; background: var(--paper); }
.chain .source { border-style: dashed; } .chain .self { border-color: var(--figure); font-weight: 600; } .chain b { color: var(--soft); font-weight: 400; }
.tells { display: flex; align-items: center; gap: 8px; font-size: 13px; margin-top: 6px; }
.tells i { flex: 1; height: 8px; border-radius: 4px; background: var(--line); overflow: hidden; } .tells i i { display: block; height: 100%; background: var(--accepted); }
.entry .quantiles td { white-space: nowrap; }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 3px; }
@media (max-width: 720px) { .entry { grid-template-columns: minmax(0, 1fr); } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --line: #ccc; --card: #fff; --accepted: #0072b2; --figure: #0072b2; }
  main { max-width: none; padding: 0; } .entry { break-inside: avoid; } .scroll { overflow: visible; background: none; } body { font-size: 12px; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
`;

/** The dictionary as one HTML page without scripts and without anything to load; the same bytes for equal dictionaries. */
export function renderDictionaryPage(dictionary: Dictionary): string {
  const title = `${dictionary.title}: the features`;
  const format = dictionaryFormat(dictionary);
  return htmlPage({
    title,
    style: STYLE,
    main: `<header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(introduction(dictionary))}</p>
</header>
${overview(dictionary, format)}
<section><h2>One by one</h2>
${dictionary.features.map((entry) => card(entry, format)).join('\n')}
</section>`,
  });
}

export function dictionaryFormat({ features, currency }: Dictionary): FigureFormat {
  return { units: new Map(features.map(({ name, unit }) => [name, unit])), currency };
}

export function introduction({ pipeline, version, features, run }: Dictionary): string {
  const what = `Pipeline ${pipeline}, version ${version}: ${features.length} features.`;
  if (run === null)
    return `${what} No run is published yet: distributions and what tells the segments apart come with the first one.`;
  const asOf = run.asOf === null ? '' : ` as of ${run.asOf}`;
  return `${what} Figures of ${formatNumber(run.customers)} customers in ${run.segments.length} segments, published run ${run.runId}${asOf}.`;
}

function overview({ features, run }: Dictionary, format: FigureFormat): string {
  const line = (entry: DictionaryEntry) => {
    const { name, unit, live, lineage, why } = entry;
    const figures = run
      ? `<td class="number">${live ? escapeHtml(formatFigure(name, live.quantiles['0.5']!, format)) : '–'}</td><td class="number">${live?.separation == null ? '–' : live.separation.toFixed(2)}</td>`
      : '';
    return `<tr><td><a href="#${escapeHtml(name)}">${escapeHtml(name)}</a></td><td>${escapeHtml(unit)}</td><td>${escapeHtml(why)}</td><td>${escapeHtml(roles(lineage))}</td>${figures}</tr>`;
  };
  const more = run ? '<th class="number">Median</th><th class="number">Tells apart</th>' : '';
  const note = run
    ? '<p class="soft">Tells apart: the share of the differences between customers (in ranks) that lies between the segments. 0 = alike in all of them, 1 = each segment has values of its own.</p>'
    : '';
  return `<section><h2>All at a glance</h2><div class="scroll"><table><thead><tr><th>Feature</th><th>Unit</th><th>Why it matters</th><th>Used</th>${more}</tr></thead>
<tbody>${features.map(line).join('\n')}</tbody></table></div>${note}</section>`;
}

/** `clustered, names (stage)`, or empty. */
export function roles({ clustered, naming }: DictionaryEntry['lineage']): string {
  const words = [
    ...(clustered ? ['clustered'] : []),
    ...(naming.length > 0 ? [`names (${naming.join(', ')})`] : []),
  ];
  return words.join(', ');
}

function card(entry: DictionaryEntry, format: FigureFormat): string {
  const { name, level, unit, why, formula, over, owner, version, live } = entry;
  const kind = level === 'derive' ? 'derived, per customer' : `${level}, over ${over}`;
  const facts: [string, string][] = [
    ['Unit', unit],
    ['Window', windowText(entry)],
    ['Without a value', nullRuleText(entry)],
    ['Owner', owner ?? 'nobody named'],
    ['Version', String(version)],
  ];
  const list = facts.map(([what, is]) => `<dt>${what}</dt><dd>${escapeHtml(is)}</dd>`).join('');
  return `<article class="card entry${live ? '' : ' plain'}" id="${escapeHtml(name)}">
<div><h3>${escapeHtml(name)}<small>${kind}</small></h3><p>${escapeHtml(why)}</p>
<pre>${escapeHtml(formula)}</pre>
<dl>${list}</dl>
${chain(entry)}</div>
${live ? `<div>${distribution(entry, live, format)}</div>` : ''}
</article>`;
}

/** source column → column of the extract → features → this one → what uses it. */
function chain({ name, lineage }: DictionaryEntry): string {
  const { columns, features, usedBy, clustered, naming, segments } = lineage;
  const chips = (words: readonly string[], kind = '') =>
    words.map((word) => `<span${kind && ` class="${kind}"`}>${escapeHtml(word)}</span>`).join('');
  const steps = [
    chips(
      columns.map(({ column, source }) => (source === column ? column : `${source} → ${column}`)),
      'source',
    ),
    chips(features),
    chips([name], 'self'),
    chips([
      ...usedBy,
      ...(clustered ? [['clustered', ...clustered].join(' · ')] : []),
      ...naming.map((role) => (role === 'trait' ? 'a trait in names' : `${role} of the names`)),
    ]),
    chips(segments),
  ].filter((step) => step !== '');
  return `<div class="chain">${steps.join('<b>→</b>')}</div>`;
}

function distribution({ name }: DictionaryEntry, live: LiveFigures, format: FigureFormat): string {
  const { histogram, quantiles, separation, customers, atNullRule } = live;
  const most = Math.max(...histogram);
  const width = 260 / histogram.length;
  const bars = histogram
    .map((count, i) => {
      const height = count === 0 ? 0 : Math.max(1, (count / most) * 62);
      return `<rect class="figure" x="${(i * width).toFixed(1)}" y="${(64 - height).toFixed(1)}" width="${Math.max(1, width - 1.5).toFixed(1)}" height="${height.toFixed(1)}"/>`;
    })
    .join('');
  // Five of them stand side by side: the unit is said above.
  const figure = (value: number) => escapeHtml(formatFigure(name, value, format).replace(/ days?$/, ''));
  const heads = ['1 %', '25 %', 'median', '75 %', '99 %'];
  const cells = ['0.01', '0.25', '0.5', '0.75', '0.99'].map(
    (share) => `<td>${figure(quantiles[share]!)}</td>`,
  );
  const tells =
    separation === null
      ? ''
      : `<div class="tells"><span>tells the segments apart</span><i><i style="width:${Math.round(separation * 100)}%"></i></i><span class="number">${separation.toFixed(2)}</span></div>`;
  return `<svg viewBox="0 0 260 66" role="img" aria-label="Distribution of ${escapeHtml(name)}"><line class="grid" x1="0" x2="260" y1="64.5" y2="64.5"/>${bars}</svg>
<table class="quantiles"><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr><tr>${cells.join('')}</tr></table>
${tells}<p class="soft" style="font-size:12.5px">n = ${formatNumber(customers)}${atNullRule > 0 ? `, ${formatNumber(atNullRule)} at the value for none` : ''}</p>`;
}
