import type { LocaleName } from '../contracts/definition.ts';
import type { SourceFormat } from '../contracts/source.ts';
import { featureCatalogue } from '../stages/feature-catalogue.ts';
import { stageBorders, valueBorders } from './bands.ts';
import { contractText } from './contract-text.ts';
import { type MixedMoney, mixedMoneyText } from './currencies.ts';
import { type DraftedRule, draftThresholds } from './draft-rules.ts';
import type { MeasuredCustomers, MeasuredRows } from './measured.ts';
import { type DraftedAttribute, type DraftedSource, pipelineText } from './pipeline-text.ts';
import { percent, thousands } from './role-evidence.ts';
import { CANONICAL_OF, ROLES, type Role } from './role-words.ts';

/** Everything that was decided, by a person or from the file. */
export interface Answers {
  name: string;
  title: string;
  currency: string;
  /** Who answers for the features and the contract; null: nobody is named. */
  owner: string | null;
  timezone: string;
  /** Of names and descriptions; absent: en. */
  locale?: LocaleName;
  returns: 'refuse' | 'keep';
  paths: readonly string[];
  roles: Readonly<Partial<Record<Role, { column: string; why: string }>>>;
  attributes: readonly DraftedAttribute[];
  customers: DraftedSource['customers'];
  format: SourceFormat;
  hasClock: boolean;
}

export interface Seen {
  rows: MeasuredRows;
  customers: MeasuredCustomers;
  rules: readonly (DraftedRule & { brokenRows: number })[];
  /** Columns in which money of several currencies meets. */
  money: readonly MixedMoney[];
  /** Base names of the files. */
  files: readonly string[];
}

/** Both files of the definition. */
export function draftDefinition(answers: Answers, seen: Seen): { pipeline: string; contract: string } {
  const { rows, customers, rules, money } = seen;
  const { currency, returns } = answers;
  const refused = rules.reduce(
    (sum, { severity, brokenRows }) => sum + (severity === 'warn' ? 0 : brokenRows),
    rows.unreadableLines,
  );
  const columns = ROLES.flatMap((role) => {
    const decided = answers.roles[role];
    return decided ? [{ name: CANONICAL_OF[role], column: decided.column, why: decided.why }] : [];
  });
  const features = featureCatalogue({
    columns: new Set(columns.map(({ name }) => name)),
    currency,
    historyDays: customers.historyDays,
    acceptsReturns: returns === 'keep',
  }).filter(({ sql }) => answers.hasClock || !/\bhour\(/.test(sql ?? ''));
  const transforms = (name: string) => features.find((feature) => feature.name === name)!.transforms;
  const { gaps, spend, recency } = customers;
  const period = `${rows.oldest ?? 'no date'} to ${rows.newest ?? 'no date'}`;
  const pipeline = pipelineText({
    name: answers.name,
    title: answers.title,
    description: `Orders of ${seen.files.join(', ')}, ${period}`,
    currency,
    owner: answers.owner,
    locale: answers.locale ?? 'en',
    source: { ...answers, columns },
    features,
    cluster: ['recencyDays', 'orders', 'spend'].map((feature) => ({
      feature,
      transforms: transforms(feature),
    })),
    stage: {
      borders: stageBorders({ gaps, recency }),
      why: `Half of ${thousands(gaps.count)} gaps between two orders were below ${whole(gaps.median)} days, 80 % below ${whole(gaps.upper)}, 95 % below ${whole(gaps.long)}.`,
    },
    value: {
      borders: valueBorders(spend),
      why: `Half of the customers spent less than ${whole(spend.half)} ${currency}, 80 % less than ${whole(spend.fourFifths)}.`,
    },
    heading: [
      `from ${seen.files.join(', ')}: ${thousands(rows.rows)} rows, ${period}, ${thousands(customers.customers)} customers. It is yours to change; every fault is named with its path when it is run.`,
    ],
  });
  const contract = contractText({
    name: answers.name,
    title: answers.title,
    owner: answers.owner,
    rules,
    rows: rows.rows,
    columns: [...columns, ...answers.attributes],
    thresholds: draftThresholds({ rows: rows.rows, refused, customers: customers.customers }),
    heading: [
      `What an extract must satisfy, drafted from ${thousands(rows.rows)} rows of which ${thousands(refused)} (${percent(rows.rows === 0 ? 0 : refused / rows.rows)}) are refused.`,
      ...(rows.duplicates > 0
        ? [
            `${thousands(rows.duplicates)} rows are the same as another one in every column. They stay in: without an id of the line nobody can tell a repeated line from two alike.`,
          ]
        : []),
      ...money.map((mixed) => `${mixedMoneyText(mixed, currency)}.`),
    ],
  });
  return { pipeline, contract };
}

function whole(value: number): string {
  return thousands(Math.round(value));
}
