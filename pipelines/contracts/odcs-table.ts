import {
  type Rule,
  type Severity,
  type TableContract,
  UNREADABLE,
  UNREADABLE_LINE,
  type Volume,
} from './contract.ts';
import type { OdcsCustomProperties, OdcsProperty, OdcsTable } from './odcs.ts';
import { contractColumn, type RuleColumn, ruleColumn } from './odcs-columns.ts';
import { severityOf } from './odcs-limits.ts';
import { compileQuality, duplicateDraft, reasonOf } from './odcs-quality.ts';
import { type DraftRule, optionDrafts, type Reporting, requiredDraft } from './odcs-rules.ts';
import type { Attributes } from './source.ts';

/** Columns that every extract may have beside those of the source. */
const TAKEN = ['malformed', 'is_duplicate', 'is_known_customer', 'is_released', 'as_of'];

interface TableReport extends Reporting {
  attributes: Attributes | undefined;
  mayDisagree: boolean;
  hasCustomers: boolean;
  /** `schema/<id>/properties/<id>` of the standard -> `table.property`. */
  references: ReadonlyMap<string, string>;
}

interface Key {
  columns: string[];
  /** Of a check in `quality`: it has its own name and severity. */
  isChecked: boolean;
}

interface Gathered {
  drafts: DraftRule[];
  keys: Key[];
  volume: Volume[];
}

/**
 * The rules of one table, in this order: lines and values that cannot be read; then by property, as the file has
 * them, required, type, options, key, quality, relationships; then the quality and relationships of the table.
 */
export function compileTable(table: OdcsTable, report: TableReport): TableContract {
  const gathered: Gathered = { drafts: [], keys: [], volume: [] };
  const primary = primaryKeyOf(table);
  table.properties.forEach((property, i) => {
    const at = { ...report, path: [...report.path, 'properties', i] };
    const isTaken = TAKEN.includes(property.name) || !/^[a-z][a-z0-9_]{0,62}$/.test(property.name);
    const isTwice = table.properties.findIndex(({ name }) => name === property.name) < i;
    if (isTaken || isTwice) {
      const needed = isTaken
        ? 'needs the snake_case name of a column of the source'
        : 'needs to be there once';
      report.faults.push({ path: [...at.path, 'name'], message: needed });
      return;
    }
    compileProperty({ property, table, primary }, gathered, at);
  });
  checkAll(table, null, gathered, report);
  relateAll(table, null, gathered, report);
  const unique = oneKey(gathered.keys, report);
  return {
    ...(unique && { unique }),
    rules: named(gathered.drafts, report),
    columns: table.properties.map(contractColumn),
    ...(gathered.volume.length > 0 && { volume: gathered.volume }),
  };
}

function primaryKeyOf({ properties }: OdcsTable): string[] {
  return properties
    .filter(({ primaryKey }) => primaryKey)
    .sort((a, b) => (a.primaryKeyPosition ?? 0) - (b.primaryKeyPosition ?? 0))
    .map(({ name }) => name);
}

function compileProperty(
  { property, table, primary }: { property: OdcsProperty; table: OdcsTable; primary: string[] },
  gathered: Gathered,
  report: TableReport,
): void {
  const { path, faults } = report;
  const column = columnOf(property, report);
  if (typeof column === 'string') {
    faults.push({ path: [...path, 'logicalType'], message: column });
    return;
  }
  refuseUnknown(property.customProperties, ['strataSeverity'], report);
  const severity = severityOf(customText(property.customProperties, 'strataSeverity'), {
    path: [...path, 'customProperties'],
    faults,
  });
  const implied = ({ ending, kind, value, ...rest }: Implied): void => {
    const about = { kind, columns: [column.name], ...(value === undefined ? {} : { value }) };
    gathered.drafts.push({ ...rest, name: `${column.name}-${ending}`, isDerived: true, severity, about });
  };
  // A check that says the same has a name and a reason of its own, and so takes its place.
  const isRequired = property.required || property.primaryKey;
  if (isRequired && !refusesMissing(property)) implied(requiredDraft(column));
  for (const draft of optionDrafts(property, column, report)) implied(draft);
  const key =
    property.primaryKey && primary[0] === property.name ? primary : property.unique ? [property.name] : null;
  if (key) addKey({ columns: key, severity }, { property, table }, gathered);
  checkAll({ ...table, quality: property.quality }, column, gathered, report);
  relateAll({ ...table, relationships: undefined }, property, gathered, report);
}

/** Where the source holds another kind of value, a contract that is only proposed is taken at its word. */
function columnOf(property: OdcsProperty, { attributes, mayDisagree }: TableReport): RuleColumn | string {
  const column = ruleColumn(property, attributes);
  return typeof column === 'string' && mayDisagree ? ruleColumn(property, undefined) : column;
}

type Implied = ReturnType<typeof optionDrafts>[number];

function refusesMissing({ quality = [] }: OdcsProperty): boolean {
  return quality.some(
    (item) => item.metric === 'nullValues' && !/^(warn|warning|info)$/i.test(item.severity ?? ''),
  );
}

function addKey(
  { columns, severity }: { columns: string[]; severity: Severity },
  { property, table }: { property: OdcsProperty; table: OdcsTable },
  gathered: Gathered,
): void {
  const isChecked =
    (columns.length === 1 && property.quality?.some(({ metric }) => metric === 'duplicateValues')) ||
    table.quality?.some((item) => sameKey(item.arguments?.properties, columns));
  if (!gathered.keys.some((key) => sameKey(key.columns, columns)) && !isChecked) {
    const { ending, ...draft } = duplicateDraft(columns);
    gathered.drafts.push({ ...draft, name: ending, isDerived: true, severity });
  }
  gathered.keys.push({ columns, isChecked: false });
}

/** @param column null: the checks of the whole table */
function checkAll(
  table: OdcsTable,
  column: RuleColumn | null,
  gathered: Gathered,
  report: TableReport,
): void {
  table.quality?.forEach((quality, i) => {
    const at = { ...report, path: [...report.path, 'quality', i] };
    refuseUnknown(quality.customProperties, [], at);
    const compiled = compileQuality({ quality, table, column }, at);
    if (compiled === null) return;
    if ('volume' in compiled) gathered.volume.push(compiled.volume);
    else gathered.drafts.push(compiled.rule);
    if ('key' in compiled && compiled.key) gathered.keys.push({ columns: compiled.key, isChecked: true });
  });
}

/** The relation that an extract can be checked for: a transaction's customer is in the table of customers. */
function relateAll(
  table: OdcsTable,
  property: OdcsProperty | null,
  gathered: Gathered,
  report: TableReport,
): void {
  const relations: {
    to: string | string[];
    from?: string | string[];
    customProperties?: OdcsCustomProperties;
  }[] = (property ? property.relationships : table.relationships) ?? [];
  relations.forEach((relation, i) => {
    const path = [...report.path, 'relationships', i];
    refuseUnknown(relation.customProperties, ['strataName', 'strataSeverity'], { ...report, path });
    const from = property ? `${table.name}.${property.name}` : resolved(relation.from, report);
    const to = resolved(relation.to, report);
    if (from !== 'transactions.customer_id' || to !== 'customers.customer_id') {
      const message = 'needs to lead from transactions.customer_id to customers.customer_id';
      report.faults.push({ path, message });
      return;
    }
    if (!report.hasCustomers) {
      report.faults.push({
        path,
        message: 'needs the second table: customers in schema, and source.customers in pipeline.yaml',
      });
      return;
    }
    gathered.drafts.push({
      name: customText(relation.customProperties, 'strataName') ?? 'customer_id-unknown',
      isDerived: true,
      check: 'customer_id IS NULL OR is_known_customer',
      reason: 'the table of customers has no row of this customer',
      severity: severityOf(customText(relation.customProperties, 'strataSeverity'), {
        path,
        faults: report.faults,
      }),
      about: { kind: 'relation', columns: ['customer_id'] },
    });
  });
}

/** One reference in the short notation; of several columns none is a customer's id. */
function resolved(reference: string | string[] | undefined, { references }: TableReport): string | undefined {
  const [one, ...others] = [reference ?? []].flat();
  if (one === undefined || others.length > 0) return undefined;
  return references.get(one.replace(/^\//, '')) ?? one;
}

function oneKey(keys: readonly Key[], { path, faults }: Reporting): string[] | null {
  const [first, ...others] = keys;
  if (first === undefined) return null;
  const other = others.find(({ columns }) => !sameKey(columns, first.columns));
  const isTwice = keys.filter(({ isChecked }) => isChecked).length > 1;
  if (other || isTwice) {
    const found = other
      ? `found ${first.columns.join(' + ')} and ${other.columns.join(' + ')}`
      : 'found it checked twice';
    faults.push({ path, message: `needs one key at most (unique, primaryKey, duplicateValues), ${found}` });
  }
  return first.columns;
}

function sameKey(left: readonly string[] | undefined, right: readonly string[]): boolean {
  return left !== undefined && left.toSorted().join() === right.toSorted().join();
}

/** Names are how rows are found again: each is there once. What was named here gets a number where it has to. */
function named(drafts: readonly DraftRule[], { path, faults }: Reporting): Rule[] {
  const readsMalformed = drafts.some(({ about }) => about.columns.includes('malformed'));
  const rules: Rule[] = [{ ...UNREADABLE_LINE }, ...(readsMalformed ? [] : [{ ...UNREADABLE }])];
  const taken = new Set(rules.map(({ name }) => name));
  for (const { isDerived, ...rule } of drafts) {
    let { name } = rule;
    if (taken.has(name) && !isDerived) {
      faults.push({ path, message: `needs a name of its own for each check, found ${name} twice` });
    }
    for (let number = 2; taken.has(name); number++) name = `${rule.name}-${number}`;
    taken.add(name);
    rules.push({ ...rule, name, reason: reasonOf(rule.reason)! });
  }
  return rules;
}

function customText(properties: OdcsCustomProperties, name: string): string | undefined {
  const value = properties?.find(({ property }) => property === name)?.value;
  return value === undefined ? undefined : String(value);
}

/** A name of ours with a slip in it would be a setting that nobody reads. */
function refuseUnknown(properties: OdcsCustomProperties, known: readonly string[], report: Reporting): void {
  properties?.forEach(({ property }, i) => {
    if (!/^strata/i.test(property) || known.includes(property)) return;
    const message =
      known.length === 0 ? 'needs a name without strata in front' : `needs ${known.join(' or ')}`;
    report.faults.push({ path: [...report.path, 'customProperties', i, 'property'], message });
  });
}
