import { formatNumber, formatShare } from '../figures.ts';
import { htmlPage } from '../html-page.ts';
import { escapeHtml } from '../profile/plots.ts';
import { causesText, type EvolutionReport, type EvolvedSegment } from './evolution.ts';
import { lineagePlot } from './lineage-plot.ts';
import {
  beforeAfter,
  moneyText,
  prose,
  questionableBadge,
  section,
  sentenceList,
  swatch,
  verdictWord,
  why,
} from './page-parts.ts';
import { causeKey, flowBars, linesPlot, sparkline } from './plots.ts';
import type { FeatureChange } from './profile-changes.ts';
import { dateWords } from './published.ts';
import { orderByValue, sankeyPlot } from './sankey.ts';
import { EVOLUTION_STYLE, segmentColour } from './style.ts';
import { growth, money } from './words.ts';

/** The evolution as one page without scripts and without anything to load, the same bytes for equal reports. */
export function renderEvolutionPage(report: EvolutionReport): string {
  const title = `${report.title}: how its segments changed`;
  return htmlPage({
    title,
    style: EVOLUTION_STYLE,
    main: `<header><h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(scope(report))}</p></header>
${sentenceList(report.sentences)}
${report.runs.length > 2 ? `<h3>${escapeHtml(`The latest step, to ${dateWords(report.runs.at(-1)!.asOf)}`)}</h3>\n${sentenceList(report.latest, 'ul')}` : ''}
${section('flows', 'Who went where', flowsSection(report))}
${section('lineage', 'Births, splits, mergers, retirements', lineageSection(report))}
${section('sizes', 'Sizes and spend', sizesSection(report))}
${section('causes', 'How many moved, and why', causesSection(report))}
${section('figures', 'What changed within segments', figuresSection(report))}
${section('verdicts', 'Each publication and its verdict', verdictsSection(report))}
${section('names', 'Names over time', namesSection(report))}
${section('read', 'How to read this', readSection())}`,
  });
}

function scope({ pipeline, runs }: EvolutionReport): string {
  const [first, last] = [runs[0]!, runs.at(-1)!];
  return `Pipeline ${pipeline}, ${formatNumber(runs.length)} publications as of ${dateWords(first.asOf)} to ${dateWords(last.asOf)}.`;
}

function legend({ segments }: EvolutionReport, extra = ''): string {
  const keys = segments.map(
    ({ name, states }, i) =>
      `<span><i style="background:${segmentColour(i)}"></i>${escapeHtml(name)}${questionableBadge(states.at(-1) ?? null)}</span>`,
  );
  return `<p class="key">${keys.join('')}${extra}</p>`;
}

function flowsSection(report: EvolutionReport): string {
  const ends =
    '<span><i style="background:var(--new)"></i>new in the next publication</span><span><i style="background:var(--lost)"></i>lost since the one before</span>';
  return `${why('Each bar is a publication, each colour a segment, most valuable customers on top; a band is as thick as the customers who went that way, in the colour of the segment they left. Point at a band for its numbers.')}
${legend(report, ends)}
<div class="scroll">${sankeyPlot(report, orderByValue(report))}</div>`;
}

function lineageSection(report: EvolutionReport): string {
  const events = report.steps.flatMap(({ to, events: own }) =>
    own.map((event) => `${dateWords(report.runs[to]!.asOf)}: ${event}`),
  );
  const list =
    events.length === 0
      ? why('Every segment was there from the first publication to the last.')
      : sentenceList(events, 'ul');
  return `${why('A line is a segment, from the first publication that has it to the last; dashed lines say which one it came out of or went into. Dots are as large as the segment; a hollow one has a name whose condition did not hold.')}
<div class="scroll">${lineagePlot(report)}</div>
${list}`;
}

function sizesSection(report: EvolutionReport): string {
  const { segments, currency, runs } = report;
  const hasMoney = runs.every(({ spendCents }) => spendCents !== null);
  const plots = [
    [
      'Customers',
      linesPlot(report, {
        label: 'Customers by segment',
        pick: ({ customers }) => customers,
        format: (value) => `${formatNumber(value)} customers`,
      }),
    ],
    ...(hasMoney
      ? [
          [
            'Spend',
            linesPlot(report, {
              label: 'Spend by segment',
              pick: ({ spendCents }) => spendCents! / 100,
              format: (value) => money(value * 100, currency),
            }),
          ],
        ]
      : []),
  ];
  const rows = segments.map((segment, i) => sizeRow(segment, i, { currency, hasMoney }));
  return `<div class="two">${plots.map(([name, plot]) => `<div><h3>${name}</h3><div class="scroll">${plot}</div></div>`).join('\n')}</div>
<div class="scroll"><table class="even"><thead><tr><th>Segment</th><th>Customers</th><th></th><th class="number">first → last</th><th class="number">of all</th>${hasMoney ? '<th>Spend</th><th class="number">first → last</th>' : ''}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

function sizeRow(
  { name, states }: EvolvedSegment,
  i: number,
  { currency, hasMoney }: { currency: string; hasMoney: boolean },
): string {
  const there = states.filter((state) => state !== null);
  const [first, last] = [there[0]!, there.at(-1)!];
  const colour = segmentColour(i);
  const spark = (values: (number | null)[], label: string, format: (value: number) => string) =>
    `<td class="spark">${sparkline(values, { colour, label: `${label} of ${name}`, format })}</td>`;
  const customers = states.map((state) => state?.customers ?? null);
  const cents = states.map((state) => state?.spendCents ?? null);
  const spend = hasMoney
    ? `${spark(cents, 'Spend', (value) => money(value, currency))}<td class="number">${beforeAfter(first.spendCents, last.spendCents, (value) => money(value, currency))}</td>`
    : '';
  return `<tr><td class="text">${swatch(colour)}${escapeHtml(name)}${questionableBadge(states.at(-1) ?? null)}</td>${spark(customers, 'Customers', formatNumber)}
<td class="number">${growth(first.customers, last.customers)}</td><td class="number">${beforeAfter(first.customers, last.customers)}</td><td class="number">${beforeAfter(first.share, last.share, formatShare)}</td>${spend}</tr>`;
}

function causesSection(report: EvolutionReport): string {
  return `${why('For each publication: who is in another segment than in the one before, by cause, then who is new and who was lost. What people did themselves shows in the first colour alone.')}
${causeKey()}
<div class="scroll">${flowBars(report)}</div>`;
}

const TOLD = 4;

function figuresSection({ segments, runs }: EvolutionReport): string {
  const last = runs.length - 1;
  const told = segments
    .map((segment, i) => ({ segment, i }))
    .filter(({ segment }) => segment.changes.length > 0 || segment.latestChanges.length > 0);
  if (told.length === 0)
    return why('No figure of any segment changed by more than chance and a tenth of a standard deviation.');
  const entries = told.map(({ segment: { name, states, changes, latestChanges }, i }) => {
    const there = states.flatMap((state, place) => (state ? [place] : []));
    const [from, to] = [there[0]!, there.at(-1)!];
    const whole = changeLine(
      `Since ${dateWords(runs[from]!.asOf)}${to < last ? ` until ${dateWords(runs[to]!.asOf)}` : ''}`,
      changes,
    );
    const isWhole = from === last - 1;
    const step =
      isWhole || last < 2 ? '' : changeLine(`Since ${dateWords(runs[last - 1]!.asOf)}`, latestChanges);
    return `<dt>${swatch(segmentColour(i))}${escapeHtml(name)}</dt>${whole}${step}`;
  });
  return `${why('Told is what changed by more than so few customers give by chance and by a tenth of a standard deviation of all customers, what segments are made of first. A figure is the median, or the mean where it says so.')}
<dl class="changes">${entries.join('\n')}</dl>`;
}

function changeLine(since: string, changes: readonly FeatureChange[]): string {
  if (changes.length === 0) return '';
  const text = changes
    .slice(0, TOLD)
    .map(({ words }) => words)
    .join('; ');
  return `<dd><span class="soft">${escapeHtml(since)}:</span> ${prose(text)}.</dd>`;
}

function verdictsSection({ runs, steps, currency }: EvolutionReport): string {
  const rows = runs.map((run, place) => {
    const step = steps[place - 1];
    const { totals } = step ?? {};
    const moved =
      totals && totals.common > 0
        ? `${formatNumber(totals.moved)} (${formatShare(totals.moved / totals.common)})`
        : '–';
    const doubts = step?.definitionChanges.map(({ what }) => what) ?? [];
    const remarks = [
      ...(totals ? [causesText(totals)] : []),
      ...doubts,
      ...(run.review ? [`let through by ${run.review}`] : []),
    ]
      .filter(Boolean)
      .map(escapeHtml)
      .join('; ');
    return `<tr><td>${dateWords(run.asOf)}${run.version > 1 ? ` v${run.version}` : ''}</td><td>${verdictWord(run)}</td><td class="number">${formatNumber(run.customers)}</td>
<td class="number">${moneyText(run.spendCents, currency)}</td><td class="number">${run.segments.length}</td><td class="number">${moved}</td>
<td class="number">${totals ? formatNumber(totals.new.customers) : '–'}</td><td class="number">${totals ? formatNumber(totals.lost.customers) : '–'}</td><td class="text">${remarks}</td></tr>`;
  });
  return `<div class="scroll"><table class="even"><thead><tr><th>As of</th><th>Verdict</th><th class="number">Customers</th><th class="number">Spend</th><th class="number">Segments</th><th class="number">Moved</th><th class="number">New</th><th class="number">Lost</th><th>Why they moved, what was changed</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

function namesSection({ segments, runs }: EvolutionReport): string {
  const rows = segments.map(({ name, states, names }, i) => {
    const doubtful = states.flatMap((state, place) => (state?.nameStatus === 'questionable' ? [place] : []));
    const since =
      doubtful.length === 0
        ? 'held throughout'
        : `${doubtful.length === states.filter(Boolean).length ? 'questionable throughout' : `questionable as of ${doubtful.map((place) => dateWords(runs[place]!.asOf)).join(', ')}`}`;
    const given = names.filter((own, at) => at === 0 || own.name !== names[at - 1]!.name);
    const history = given.map(({ name: own, author, validFrom, reason }) => {
      const by = author === 'auto' ? 'named by its figures' : `by ${author}: ${reason}`;
      return `<li>${escapeHtml(own)} <span class="soft">since ${validFrom.slice(0, 10)}, ${escapeHtml(by)}</span></li>`;
    });
    return `<tr><td class="text">${swatch(segmentColour(i))}${escapeHtml(name)}${questionableBadge(states.at(-1) ?? null)}</td><td class="text">${escapeHtml(since)}</td><td class="text"><ul class="reasons">${history.join('')}</ul></td></tr>`;
  });
  return `${why('A name never changes by itself. Where the condition it rests on does not hold in a run, it stays and is questionable until a person decides.')}
<div class="scroll"><table><thead><tr><th>Segment</th><th>Its condition</th><th>Names it had</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

function readSection(): string {
  return sentenceList(
    [
      "Moved by their own doing: the last model, too, puts today's figures into another segment. This is what customers did, and the only part that is about them.",
      'Moved since the model is another one: the last model would have left them where they were. Nothing happened to these customers; the segments were drawn anew.',
      'Moved at a border: so near to it that a refit on other customers might have decided otherwise. Do not act on single customers of these.',
      'New are customers who were in no publication before, lost those who are in this one no more: where figures go back to the first order, nobody is ever lost.',
      'Two lines that look alike may still be two segments: a colour is an identity, and an identity never comes back.',
    ],
    'ul',
  );
}
