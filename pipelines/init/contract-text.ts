import type { DraftedRule, DraftedThresholds } from './draft-rules.ts';
import { percent, thousands } from './role-evidence.ts';
import { comment, indented, scalar } from './yaml-lines.ts';

export interface DraftedContract {
  /** Name of the pipeline, and words for people. */
  name: string;
  title: string;
  /** Null: nobody is named. */
  owner: string | null;
  /** Each with the rows that were refused, or told, under it when the contract was drafted. */
  rules: readonly (DraftedRule & { brokenRows: number })[];
  rows: number;
  /** Columns of the extract -> of the source, in the order in which they are described. */
  columns: readonly { name: string; column: string }[];
  thresholds: DraftedThresholds;
  /** First lines of the file, in words. */
  heading: readonly string[];
}

const LOGICAL_TYPES: Readonly<Record<string, string>> = {
  ordered_at: 'timestamp',
  loaded_at: 'timestamp',
  quantity: 'integer',
  unit_price: 'number',
  amount: 'number',
  discount: 'number',
};

/**
 * contract.yaml in the Open Data Contract Standard, to be read and changed by a person. Rules that every contract
 * begins with (unreadable lines and values) are not written.
 */
export function contractText(draft: DraftedContract): string {
  const { name, title, owner, rows, thresholds, heading } = draft;
  return [
    '# Open Data Contract Standard 3.1; docs/contracts.md says what Strata makes of it.',
    ...heading.flatMap(comment),
    'apiVersion: v3.1.0',
    'kind: DataContract',
    `id: ${name}-transactions`,
    `name: ${scalar(`${title} transactions`)}`,
    'version: 1.0.0',
    'status: draft',
    ...(owner === null ? [] : ['team:', `  name: ${scalar(owner)}`]),
    'description:',
    '  purpose: Transactions of which customers are segmented.',
    '  usage: Each refused row is counted once, under the first check it breaks, in the order of this file.',
    '',
    'schema:',
    '  - name: transactions',
    '    physicalType: file',
    '    properties:',
    ...indented(
      ordered(draft).flatMap((column) => propertyLines(column, draft)),
      6,
    ),
    '    quality:',
    `      # Seen: ${thousands(rows)} rows.`,
    '      - name: few-rows',
    '        metric: rowCount',
    `        mustBeGreaterOrEqualTo: ${thresholds.minimumRows}`,
    '        severity: warning',
    '        description: fewer than a third of the rows seen when this was drafted',
    '',
    'customProperties:',
    `  # Refused when this was drafted: ${percent(refusedShare(draft))} of the rows.`,
    ...property('strataWarnRefusedShare', thresholds.warnRefusedShare),
    ...property('strataFailRefusedShare', thresholds.failRefusedShare),
    ...property('strataMinimumCustomers', thresholds.minimumCustomers),
    '',
  ].join('\n');
}

/** Those with rules first, in the order of the rules: it is the order in which rows are counted. */
function ordered({ columns, rules }: DraftedContract): DraftedContract['columns'] {
  const first = (name: string) => {
    const place = rules.findIndex(({ column }) => column === name);
    return place < 0 ? rules.length : place;
  };
  return columns.toSorted((left, right) => first(left.name) - first(right.name));
}

function propertyLines(
  { name, column }: DraftedContract['columns'][number],
  { rules, rows }: DraftedContract,
): string[] {
  const own = rules.filter((rule) => rule.column === name && rule.kind !== 'readable');
  const isRequired = own.some(({ kind, limit }) => kind === 'required' && limit === undefined);
  return [
    `- name: ${name}`,
    ...indented([
      `physicalName: ${scalar(column)}`,
      `logicalType: ${LOGICAL_TYPES[name] ?? 'string'}`,
      ...(isRequired ? ['required: true'] : []),
      ...(own.some(({ kind }) => kind === 'unique') ? ['unique: true'] : []),
      ...(own.length === 0 ? [] : ['quality:', ...indented(own.flatMap((rule) => checkLines(rule, rows)))]),
    ]),
  ];
}

function checkLines(rule: DraftedContract['rules'][number], rows: number): string[] {
  const { name, severity, reason, limit, brokenRows } = rule;
  return [
    `# Seen: ${thousands(brokenRows)} of ${thousands(rows)} rows.`,
    `- name: ${name}`,
    ...indented([
      ...measureLines(rule),
      ...(limit === undefined
        ? ['mustBe: 0']
        : [`mustBeLessOrEqualTo: ${Number((limit * 100).toFixed(4))}`, 'unit: percent']),
      ...(severity === 'warn' ? ['severity: warning'] : []),
      `description: ${scalar(reason)}`,
    ]),
  ];
}

function measureLines({ kind, words, broken }: DraftedRule): string[] {
  switch (kind) {
    case 'required':
      return ['metric: nullValues', 'dimension: completeness'];
    case 'unique':
      return ['metric: duplicateValues', 'dimension: uniqueness'];
    case 'enum':
      return [
        'metric: invalidValues',
        'arguments:',
        '  validValues:',
        ...(words ?? []).map((word) => `    - ${JSON.stringify(word)}`),
      ];
    default:
      return ['type: sql', `query: ${scalar(`SELECT COUNT(*) FROM {object} WHERE ${broken}`)}`];
  }
}

function property(name: string, value: number): string[] {
  return [`  - property: ${name}`, `    value: ${value}`];
}

function refusedShare({ rules, rows }: DraftedContract): number {
  const refused = rules.reduce(
    (sum, { severity, brokenRows }) => sum + (severity === 'warn' ? 0 : brokenRows),
    0,
  );
  return rows === 0 ? 0 : refused / rows;
}
