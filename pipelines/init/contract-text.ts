import type { DraftedRule, DraftedThresholds } from './draft-rules.ts';
import { percent, thousands } from './role-evidence.ts';
import { comment, indented, inlineList, scalar } from './yaml-lines.ts';

export interface DraftedContract {
  /** Each with the rows that were refused, or told, under it when the contract was drafted. */
  rules: readonly (DraftedRule & { brokenRows: number })[];
  rows: number;
  /** Canonical columns that name one row. */
  unique: readonly string[] | null;
  thresholds: DraftedThresholds;
  /** First lines of the file, in words. */
  heading: readonly string[];
}

/** contract.yaml, to be read and changed by a person. */
export function contractText(draft: DraftedContract): string {
  const { rules, rows, unique, thresholds, heading } = draft;
  return [
    ...heading.flatMap(comment),
    'version: 1',
    ...(unique === null
      ? []
      : ['# A line that was loaded twice counts as it was loaded first.', `unique: ${inlineList(unique)}`]),
    '# In this order each refused row is counted once, under the first rule it breaks.',
    'rules:',
    ...indented(rules.flatMap((rule) => ruleLines(rule, rows))),
    'thresholds:',
    ...indented([
      `# Refused when this was drafted: ${percent(refusedShare(draft))} of the rows.`,
      `warnRefusedShare: ${thresholds.warnRefusedShare}`,
      `failRefusedShare: ${thresholds.failRefusedShare}`,
      `minimumCustomers: ${thresholds.minimumCustomers}`,
    ]),
    '',
  ].join('\n');
}

function ruleLines(rule: DraftedContract['rules'][number], rows: number): string[] {
  const { name, check, severity, reason, limit, brokenRows } = rule;
  return [
    `# Seen: ${thousands(brokenRows)} of ${thousands(rows)} rows.`,
    `- name: ${name}`,
    ...indented([
      `check: ${scalar(check)}`,
      ...(severity === 'reject' ? [] : [`severity: ${severity}`]),
      `reason: ${scalar(reason)}`,
      ...(limit === undefined ? [] : [`limit: { share: ${limit} }`]),
    ]),
  ];
}

function refusedShare({ rules, rows }: DraftedContract): number {
  const refused = rules.reduce(
    (sum, { severity, brokenRows }) => sum + (severity === 'warn' ? 0 : brokenRows),
    0,
  );
  return rows === 0 ? 0 : refused / rows;
}
