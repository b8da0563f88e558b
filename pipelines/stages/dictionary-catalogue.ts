import { CANONICAL_COLUMNS, OPTIONAL_COLUMNS } from '../contracts/source.ts';
import { nullRuleText, windowText } from './dictionary.ts';
import { type CatalogueFeature, featureCatalogue } from './feature-catalogue.ts';

/** The whole catalogue as Markdown: what docs/features.md has below its mark. */
export function catalogueMarkdown(): string {
  const features = featureCatalogue({
    columns: new Set([...Object.keys(CANONICAL_COLUMNS), ...Object.keys(OPTIONAL_COLUMNS)]),
    currency: 'EUR',
    historyDays: 730,
    acceptsReturns: true,
  });
  const rows = features.map(
    ({ name, unit, why, needs }) => `| \`${name}\` | ${unit} | ${needs.join(', ') || '–'} | ${why} |`,
  );
  return `| feature | unit | needs | why |
|---|---|---|---|
${rows.join('\n')}

${features.map(described).join('\n')}`;
}

function described(feature: CatalogueFeature): string {
  const { name, level, sql, expression, over, windowDays, whenMissing, unit } = feature;
  const grain = level === 'derive' ? 'derived' : `aggregate over ${over ?? 'lines'}`;
  const facts = [
    grain,
    ...(windowDays === undefined ? [] : [windowText({ windowDays })]),
    ...(whenMissing === undefined
      ? []
      : [`without a value ${nullRuleText({ whenMissing: ruleOf(feature), unit, level })}`]),
    `clustered through ${feature.transforms.join(', ')}`,
  ];
  return `#### ${name}
${facts.join(' · ')}
\`\`\`${level === 'derive' ? 'text' : 'sql'}
${sql ?? expression}
\`\`\``;
}

/** The length of the history is the extract's: in the page it is named, not counted. */
function ruleOf({ name, whenMissing }: CatalogueFeature): number | string {
  return name === 'gapMeanDays' ? 'as many as the history has' : whenMissing!;
}
