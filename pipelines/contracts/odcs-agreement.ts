import type { Fault, Odcs, OdcsProperty, OdcsTable } from './odcs.ts';
import type { CustomerSource, Source } from './source.ts';

/** Where contract.yaml and `source` of pipeline.yaml do not speak of the same columns: checks would not run. */
export function agreementFaults({ schema }: Odcs, source: Source): Fault[] {
  return schema.flatMap((table, i) => {
    const columns = sourceColumns(table, source);
    if (columns === null) return [];
    return table.properties.flatMap((property, j) =>
      faultsOf(property, columns).map((fault) => ({
        ...fault,
        path: ['schema', i, 'properties', j, ...fault.path],
      })),
    );
  });
}

/** A made-up shop has customers, too, but as a number. */
export function secondTable(source: Source | undefined): CustomerSource | undefined {
  return source === undefined || source.kind === 'generated' ? undefined : source.customers;
}

/** Column of the extract -> column of the source; undefined for one that is made in reading. */
function sourceColumns(table: OdcsTable, source: Source): Map<string, string | undefined> | null {
  const attributes = (given: Record<string, { column: string }> = {}): [string, string][] =>
    Object.entries(given).map(([name, { column }]) => [name, column]);
  if (table.name === 'customers') {
    const second = secondTable(source);
    return second ? new Map([['customer_id', second.customer_id], ...attributes(second.attributes)]) : null;
  }
  const made: [string, undefined][] = [
    ['amount', undefined],
    ['order_id', undefined],
  ];
  return new Map<string, string | undefined>([
    ...made,
    ...Object.entries(source.columns).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ...attributes(source.attributes),
  ]);
}

function faultsOf(property: OdcsProperty, columns: ReadonlyMap<string, string | undefined>): Fault[] {
  const { name, physicalName } = property;
  if (!columns.has(name)) {
    if (!isChecked(property)) return [];
    const message =
      'needs a column that pipeline.yaml reads, since it has checks: name it in source.columns or source.attributes, or leave the checks out';
    return [{ path: ['name'], message }];
  }
  const column = columns.get(name);
  // Names of columns are the same whatever their case, in files as in SQL.
  if (physicalName === undefined || physicalName.toLowerCase() === column?.toLowerCase()) return [];
  const needed =
    column === undefined
      ? `no physicalName, since ${name} is made in reading`
      : `${column}, which pipeline.yaml reads as ${name} (the two files differ: correct the one that is wrong, contract.yaml here or the source of pipeline.yaml)`;
  return [{ path: ['physicalName'], message: `needs ${needed}` }];
}

function isChecked(property: OdcsProperty): boolean {
  const { required, unique, primaryKey, logicalTypeOptions, quality, relationships } = property;
  const checks = quality?.some(({ type }) => type !== 'text' && type !== 'custom');
  return Boolean(
    required ||
      unique ||
      primaryKey ||
      checks ||
      relationships?.length ||
      Object.keys(logicalTypeOptions ?? {}).length,
  );
}
