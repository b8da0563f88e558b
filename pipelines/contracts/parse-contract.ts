import { type Contract, type Rule, type TableContract, UNREADABLE, UNREADABLE_LINE } from './contract.ts';
import { PipelineError } from './errors.ts';
import { type Fault, type Odcs, odcsSchema } from './odcs.ts';
import { agreementFaults, secondTable } from './odcs-agreement.ts';
import { duplicateDraft } from './odcs-quality.ts';
import { requiredDraft } from './odcs-rules.ts';
import { freshnessOf, settingsOf } from './odcs-settings.ts';
import { compileTable } from './odcs-table.ts';
import { type FileReport, readYaml, tellFaults } from './read-yaml.ts';
import type { Source } from './source.ts';

interface Under {
  /** Of the pipeline, whose columns the contract has to agree with; absent: the contract alone. */
  source?: Source | undefined;
  /** A contract that only is proposed: what of its columns is not the source's is no fault yet. */
  mayDisagree?: boolean | undefined;
}

/**
 * A contract.yaml as the stages read it.
 *
 * @throws PipelineError DEFINITION_INVALID: every fault with its path, what was needed and found
 */
export function parseContract(
  text: string,
  { file = 'contract.yaml', ...under }: { file?: string } & Under = {},
): Contract {
  const faults: string[] = [];
  const contract = readContract(text, { file, faults, ...under });
  if (contract === undefined || faults.length > 0) {
    throw new PipelineError('DEFINITION_INVALID', faults.join('; '), { faults: faults.length });
  }
  return contract;
}

/** The same for who collects the faults of several files; undefined when there are any. */
export function readContract(
  text: string,
  { source, mayDisagree = false, ...report }: FileReport & Under,
): Contract | undefined {
  const read = readYaml(odcsSchema, text, report);
  if (read === undefined) return undefined;
  const faults: Fault[] = [];
  const contract = compileContract(read.data, { source, mayDisagree }, faults);
  tellFaults(faults, read.value, report);
  return faults.length === 0 ? contract : undefined;
}

function compileContract(odcs: Odcs, { source, mayDisagree }: Under, faults: Fault[]): Contract {
  const notChecked: string[] = [];
  const table = (name: 'transactions' | 'customers') => {
    const i = odcs.schema.findIndex((one) => one.name === name);
    if (i < 0) return undefined;
    const second = secondTable(source);
    return compileTable(odcs.schema[i]!, {
      path: ['schema', i],
      faults,
      notChecked,
      attributes: name === 'transactions' ? source?.attributes : second?.attributes,
      mayDisagree: mayDisagree === true,
      hasCustomers:
        odcs.schema.some((one) => one.name === 'customers') &&
        (source === undefined || mayDisagree === true || second !== undefined),
      references: referencesOf(odcs),
    });
  };
  const names = odcs.schema.map(({ name }) => name);
  const twice = names.findIndex((name, i) => names.indexOf(name) < i);
  if (twice >= 0) faults.push({ path: ['schema', twice, 'name'], message: 'needs to be there once' });
  const transactions = table('transactions');
  if (transactions === undefined)
    faults.push({ path: ['schema'], message: 'needs an object named transactions' });
  const customers = customersContract(table('customers'), { odcs, source, mayDisagree, faults });
  if (source && !mayDisagree) faults.push(...agreementFaults(odcs, source));
  const settings = settingsOf(odcs, faults);
  const freshness = freshnessOf(odcs, settings.freshness, { faults, notChecked });
  return {
    version: odcs.version,
    id: odcs.id,
    ...(transactions ?? { rules: [] }),
    ...(freshness && { freshness }),
    ...(customers && { customers }),
    ...(notChecked.length > 0 && { notChecked }),
    thresholds: settings.thresholds,
  };
}

function referencesOf({ schema }: Odcs): Map<string, string> {
  return new Map(
    schema.flatMap((table) =>
      table.properties.map((property) => [
        `schema/${table.id ?? table.name}/properties/${property.id ?? property.name}`,
        `${table.name}.${property.name}`,
      ]),
    ),
  );
}

/** Where no contract asks for more: a customer with an unreadable attribute has the others. */
const UNREADABLE_ATTRIBUTE: Readonly<Rule> = {
  ...UNREADABLE,
  severity: 'warn',
  reason: 'a value was there that cannot be read; it counts as missing',
};

/** Of each customer there is one row: the attributes of two would be a matter of luck. */
function customersContract(
  written: TableContract | undefined,
  { odcs, source, mayDisagree, faults }: { odcs: Odcs; faults: Fault[] } & Under,
): TableContract | undefined {
  const hasSource = secondTable(source) !== undefined;
  if (written === undefined && !hasSource) return undefined;
  const path = ['schema', odcs.schema.findIndex(({ name }) => name === 'customers')];
  if (source !== undefined && !hasSource && !mayDisagree) {
    faults.push({
      path,
      message: 'needs source.customers in pipeline.yaml, which says where the second table is',
    });
  }
  const table = written ?? { rules: [{ ...UNREADABLE_LINE }, { ...UNREADABLE_ATTRIBUTE }] };
  if (table.unique && table.unique.join() !== 'customer_id') {
    faults.push({ path, message: `needs customer_id alone as its key, found ${table.unique.join(' + ')}` });
  }
  const refuses = (kind: 'required' | 'unique') =>
    table.rules.some(
      ({ about, severity }) =>
        about?.kind === kind && about.columns[0] === 'customer_id' && severity !== 'warn',
    );
  const { ending: _, kind, ...missing } = requiredDraft({ name: 'customer_id', sql: '"customer_id"' });
  const { ending: duplicate, ...copies } = duplicateDraft(['customer_id']);
  const added: Rule[] = [
    ...(refuses('required')
      ? []
      : [
          {
            ...missing,
            name: 'customer_id-missing',
            severity: 'reject' as const,
            about: { kind, columns: ['customer_id'] },
          },
        ]),
    ...(refuses('unique') ? [] : [{ ...copies, name: duplicate, severity: 'reject' as const }]),
  ];
  return { ...table, unique: ['customer_id'], rules: [...table.rules, ...added] };
}
