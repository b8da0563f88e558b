import type {
  Contract,
  ContractColumn,
  Limit,
  Rule,
  Severity,
  TableContract,
} from '../contracts/contract.ts';
import type { Definition } from '../contracts/definition.ts';
import { featureLineage } from './feature-lineage.ts';

// What changes from one contract to another, and for whom. A column that goes or changes its type breaks the
// features that rest on it; a stricter check may refuse extracts that were good so far; a looser one lets in rows
// that features have not seen, which breaks nothing and may still move numbers.

/** `changed`: nobody can tell whether it refuses more or less than before. */
export type Effect = 'breaks' | 'stricter' | 'changed' | 'looser' | 'same';

const BREAKING: readonly Effect[] = ['breaks', 'stricter', 'changed'];

export interface Change {
  table: 'transactions' | 'customers';
  /** Columns that it is about; none for what concerns the whole table. */
  columns: string[];
  effect: Effect;
  /** One line. */
  text: string;
}

export interface AffectedPipeline {
  pipeline: string;
  features: { feature: string; columns: string[]; uses: string[] }[];
}

export interface ContractDiff {
  changes: Change[];
  isBreaking: boolean;
  pipelines: AffectedPipeline[];
}

/** @param definitions pipelines under the contract; for each the features that rest on a column that changes */
export function diffContracts(
  before: Contract,
  after: Contract,
  definitions: readonly Pick<Definition, 'pipeline' | 'features' | 'naming' | 'source'>[],
): ContractDiff {
  const changes = [
    ...tableChanges('transactions', before, after),
    ...tableChanges('customers', before.customers, after.customers),
    ...runChanges(before, after),
  ];
  const touching = changes.filter(({ effect }) => effect !== 'same');
  const columns = new Set(touching.flatMap((change) => change.columns));
  return {
    changes,
    isBreaking: changes.some(({ effect }) => BREAKING.includes(effect)),
    pipelines: definitions.map((definition) => affected(definition, columns)),
  };
}

const NONE: TableContract = { rules: [], columns: [] };

function tableChanges(
  table: Change['table'],
  before: TableContract = NONE,
  after: TableContract = NONE,
): Change[] {
  const told = (columns: string[], effect: Effect, text: string): Change => ({
    table,
    columns,
    effect,
    text,
  });
  const [old, now] = [before.columns ?? [], after.columns ?? []];
  const gone = old
    .filter(({ name }) => !has(now, name))
    .map((column) => told([column.name], 'breaks', `column ${column.name} is gone`));
  const added = now
    .filter(({ name }) => !has(old, name))
    .map(({ name, required }) =>
      required
        ? told([name], 'stricter', `column ${name} is new and required, which no extract so far has`)
        : told([name], 'same', `column ${name} is new`),
    );
  const changed = now.flatMap((column) => {
    const was = old.find(({ name }) => name === column.name);
    return was ? columnChanges(was, column).map(({ effect, text }) => told([column.name], effect, text)) : [];
  });
  return [
    ...gone,
    ...added,
    ...changed,
    ...ruleChanges(table, before, after),
    ...volumeChanges(table, before, after),
  ];
}

function has(columns: readonly ContractColumn[], name: string): boolean {
  return columns.some((column) => column.name === name);
}

function columnChanges(was: ContractColumn, is: ContractColumn): Pick<Change, 'effect' | 'text'>[] {
  const changes: Pick<Change, 'effect' | 'text'>[] = [];
  if (was.type !== is.type) {
    const isWider = was.type === 'integer' && is.type === 'number';
    const text = `column ${is.name} is ${is.type ?? 'of no said type'}, was ${was.type ?? 'of no said type'}`;
    changes.push({ effect: isWider ? 'looser' : 'breaks', text });
  }
  if (was.source?.toLowerCase() !== is.source?.toLowerCase()) {
    const text = `column ${is.name} is read from ${is.source ?? 'no said column'}, was ${was.source ?? 'no said column'}; source.columns of pipeline.yaml has to follow`;
    changes.push({ effect: 'breaks', text });
  }
  return changes;
}

function ruleChanges(table: Change['table'], before: TableContract, after: TableContract): Change[] {
  const changes: Change[] = [];
  const left = [...before.rules];
  const columnsOf = (rule: Rule) => rule.about?.columns ?? [];
  const isNew = (columns: readonly string[]) =>
    columns.length > 0 && columns.every((name) => !has(before.columns ?? [], name));
  for (const rule of after.rules) {
    const at = matching(left, rule, after.rules);
    const [was] = at < 0 ? [] : left.splice(at, 1);
    const told = was
      ? ruleChange(was, rule)
      : {
          effect:
            rule.severity === 'warn' || isNew(columnsOf(rule)) ? ('same' as const) : ('stricter' as const),
          text: `rule ${rule.name} is new: ${refusal(rule)} where ${rule.reason}`,
        };
    if (told) changes.push({ table, columns: columnsOf(rule), ...told });
  }
  for (const rule of left) {
    // With its column the rule goes, too: that is told once.
    if (columnsOf(rule).some((name) => has(before.columns ?? [], name) && !has(after.columns ?? [], name)))
      continue;
    const effect = rule.severity === 'warn' ? 'same' : 'looser';
    changes.push({
      table,
      columns: columnsOf(rule),
      effect,
      text: `rule ${rule.name} is gone: ${rule.reason}`,
    });
  }
  return changes;
}

function refusal({ severity }: Rule): string {
  return severity === 'warn' ? 'warns' : severity === 'fail' ? 'refuses rows and runs' : 'refuses rows';
}

/** The same rule by its name; else, of those that no rule has the name of, one of the same check or the same kind. */
function matching(rules: readonly Rule[], rule: Rule, after: readonly Rule[]): number {
  const byName = rules.findIndex(({ name }) => name === rule.name);
  if (byName >= 0) return byName;
  const isFree = ({ name }: Rule) => !after.some((other) => other.name === name);
  const byCheck = rules.findIndex((was) => was.check === rule.check && isFree(was));
  return byCheck >= 0 ? byCheck : rules.findIndex((was) => isFree(was) && asksTheSameKind(was, rule));
}

/** Of the same columns. Two conditions may ask anything. */
function asksTheSameKind({ about: was }: Rule, { about: is }: Rule): boolean {
  return (
    was !== undefined &&
    was.kind === is?.kind &&
    was.kind !== 'condition' &&
    was.columns.join() === is.columns.join()
  );
}

function ruleChange(was: Rule, is: Rule): Pick<Change, 'effect' | 'text'> | null {
  const differences: [Effect, string][] = [];
  if (was.name !== is.name) differences.push(['same', `is named ${is.name}`]);
  if (was.severity !== is.severity)
    differences.push([bySeverity(was.severity, is.severity), `${refusal(is)}, did: ${refusal(was)}`]);
  const bound = boundEffect(was, is);
  if (bound !== 'same')
    differences.push([bound, `${bound === 'changed' ? 'may be stricter: ' : ''}${boundWords(was, is)}`]);
  const limit = limitEffect(was, is);
  if (limit !== 'same')
    differences.push([
      limit,
      `allows ${limitWords(is.limit)}, allowed ${limitWords(was.limit)}${is.limit === undefined && is.severity === 'reject' ? NO_LIMIT : ''}`,
    ]);
  if (differences.length === 0) return null;
  const effects = differences.map(([effect]) => effect);
  // What only warns refuses nothing, however strict it becomes.
  const strictest = STRICTEST_FIRST.find((effect) => effects.includes(effect)) ?? 'same';
  const effect = is.severity === 'warn' && was.severity === 'warn' ? 'same' : strictest;
  return { effect, text: `rule ${was.name} ${differences.map(([, words]) => words).join('; ')}` };
}

const STRICTEST_FIRST: readonly Effect[] = ['stricter', 'changed', 'looser'];

/** None allowed looks like the strictest of limits, and is none on the run. */
const NO_LIMIT =
  ' (mustBe: 0 of severity error refuses the rows, however many, and never the run: with severity: critical one row refuses it)';

const RANKS: Readonly<Record<Severity, number>> = { warn: 0, reject: 1, fail: 2 };

function bySeverity(was: Severity, is: Severity): Effect {
  return RANKS[is] > RANKS[was] ? 'stricter' : 'looser';
}

const RAISED = ['minimum', 'exclusiveMinimum', 'minLength'];
const LOWERED = ['maximum', 'exclusiveMaximum', 'maxLength'];

/** Two conditions or patterns cannot be told apart by strictness: a changed one may refuse what was good. */
function boundEffect(was: Rule, is: Rule): Effect {
  const [old, now] = [was.about?.value, is.about?.value];
  if (was.about?.kind === is.about?.kind && JSON.stringify(old) === JSON.stringify(now)) {
    return was.about || was.check === is.check ? 'same' : 'changed';
  }
  const kind = is.about?.kind;
  if (kind !== was.about?.kind || kind === undefined) return 'changed';
  if (RAISED.includes(kind)) return isLess(old, now) ? 'stricter' : 'looser';
  if (LOWERED.includes(kind)) return isLess(old, now) ? 'looser' : 'stricter';
  if ((kind === 'values' || kind === 'missing') && Array.isArray(old) && Array.isArray(now)) {
    const isWider = old.every((value) => now.includes(value));
    return isWider === (kind === 'values') ? 'looser' : 'stricter';
  }
  return 'changed';
}

/** Numbers, or ISO times, which order as their texts do. */
function isLess(left: unknown, right: unknown): boolean {
  return typeof left === 'number' && typeof right === 'number' ? left < right : String(left) < String(right);
}

function boundWords(was: Rule, is: Rule): string {
  const words = ({ about, check }: Rule) =>
    about?.value === undefined ? check : `${about.kind} ${JSON.stringify(about.value)}`;
  return `asks ${words(is)}, asked ${words(was)}`;
}

function limitEffect(was: Rule, is: Rule): Effect {
  // Another severity means another limit where none is said; that is told with the severity.
  if (was.severity !== is.severity && isNone(was) && isNone(is)) return 'same';
  const [old, now] = [allowed(was), allowed(is)];
  if (JSON.stringify(old) === JSON.stringify(now)) return 'same';
  if (old === null) return 'stricter';
  if (now === null) return 'looser';
  if ('rows' in old !== 'rows' in now) return 'stricter';
  const size = (limit: Limit) =>
    'rows' in limit ? limit.rows : limit.share - (limit.below ? Number.EPSILON : 0);
  return size(now) < size(old) ? 'stricter' : 'looser';
}

function isNone({ limit }: Rule): boolean {
  return limit === undefined || ('rows' in limit ? limit.rows : limit.share) === 0;
}

function allowed({ limit, severity }: Rule): Limit | null {
  return limit ?? (severity === 'reject' ? null : { rows: 0 });
}

function limitWords(limit: Limit | undefined): string {
  if (limit === undefined) return 'any number of broken rows';
  return 'rows' in limit
    ? `${limit.rows} broken rows`
    : `${limit.below ? 'less than ' : ''}${limit.share * 100} % broken rows`;
}

function volumeChanges(table: Change['table'], before: TableContract, after: TableContract): Change[] {
  const [old, now] = [before.volume ?? [], after.volume ?? []];
  if (JSON.stringify(old) === JSON.stringify(now)) return [];
  const words = (checks: typeof old) =>
    checks.map(({ operator, value }) => `${operator} ${JSON.stringify(value)}`).join(', ') || 'any';
  const effect = now.some(({ severity }) => severity === 'fail') ? 'stricter' : 'looser';
  return [{ table, columns: [], effect, text: `rows: ${words(now)}, was ${words(old)}` }];
}

function runChanges(before: Contract, after: Contract): Change[] {
  const told = (effect: Effect, text: string): Change => ({
    table: 'transactions',
    columns: [],
    effect,
    text,
  });
  const changes: Change[] = [];
  const [old, now] = [before.freshness, after.freshness];
  if (JSON.stringify(old) !== JSON.stringify(now)) {
    const isStricter =
      now?.severity === 'fail' &&
      (old?.severity !== 'fail' || now.hours < old.hours || now.column !== old.column);
    const words = (freshness: typeof old) =>
      freshness ? `${freshness.hours} hours by ${freshness.column}` : 'any age';
    changes.push(
      told(isStricter ? 'stricter' : 'looser', `the newest row may be ${words(now)} old, was ${words(old)}`),
    );
  }
  for (const name of ['failRefusedShare', 'minimumCustomers', 'warnRefusedShare'] as const) {
    const [was, is] = [before.thresholds[name], after.thresholds[name]];
    if (was === is) continue;
    const isStricter = name === 'minimumCustomers' ? is > was : is < was;
    const effect = name === 'warnRefusedShare' ? 'same' : isStricter ? 'stricter' : 'looser';
    changes.push(told(effect, `${name} is ${is}, was ${was}`));
  }
  return changes;
}

function affected(
  definition: Pick<Definition, 'pipeline' | 'features' | 'naming' | 'source'>,
  changed: ReadonlySet<string>,
): AffectedPipeline {
  const columns = new Set(changed);
  // Money of a line is made of pieces and price where the source has none of its own.
  const hasAmount = definition.source.columns.amount !== undefined;
  if (!hasAmount && (columns.has('quantity') || columns.has('unit_price'))) columns.add('amount');
  const features = [...featureLineage(definition.features)].flatMap(([feature, lineage]) => {
    const touched = lineage.columns.filter((name) => columns.has(name));
    return touched.length === 0 ? [] : [{ feature, columns: touched, uses: usesOf(feature, definition) }];
  });
  return { pipeline: definition.pipeline, features };
}

function usesOf(feature: string, { features, naming }: Pick<Definition, 'features' | 'naming'>): string[] {
  return [
    ...(features.cluster.some((one) => one.feature === feature) ? ['clustering'] : []),
    ...(naming.stage.feature === feature ? ['names by stage'] : []),
    ...(naming.value.feature === feature ? ['names by value'] : []),
    ...(naming.traits.some((trait) => trait.feature === feature) ? ['names by trait'] : []),
    ...(naming.spend === feature ? ['shares of spend'] : []),
  ];
}
