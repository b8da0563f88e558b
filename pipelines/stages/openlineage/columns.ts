import type { Definition } from '../../contracts/definition.ts';
import type { Source } from '../../contracts/source.ts';
import { featureLineage } from '../feature-lineage.ts';

/** A column of what a run reads: `orders` are the transactions, `customers` the table beside them. */
export interface SourceColumn {
  table: 'orders' | 'customers';
  column: string;
}

/** What each feature rests on, in the source's own words; in the definition's order. */
export function sourceColumnsOfFeatures({
  source,
  features,
}: Pick<Definition, 'source' | 'features'>): Map<string, SourceColumn[]> {
  const lineage = [...featureLineage(features)];
  return new Map(
    lineage.map(([feature, { columns }]) => [
      feature,
      unique(columns.flatMap((name) => sourced(source, name))),
    ]),
  );
}

/** Every column of the source that is read, in the order of the definition. */
export function columnsRead(source: Source, table: SourceColumn['table']): string[] {
  if (table === 'customers') {
    const customers = source.kind === 'generated' ? undefined : source.customers;
    if (customers === undefined) return [];
    return [customers.customer_id, ...Object.values(customers.attributes).map(({ column }) => column)];
  }
  const own = Object.values(source.columns).filter((column) => column !== undefined);
  return [...new Set([...own, ...Object.values(source.attributes ?? {}).map(({ column }) => column)])];
}

/** A column of the extract -> those of the source that it is made of; none: it is made of no column. */
export function sourced(source: Source, name: string): SourceColumn[] {
  const roles = source.columns as Readonly<Record<string, string | undefined>>;
  const given = roles[name];
  if (given !== undefined) return [{ table: 'orders', column: given }];
  if (name === 'amount') return ['quantity', 'unit_price'].flatMap((role) => sourced(source, role));
  // Of a source without orders each moment at which a customer bought is one.
  if (name === 'order_id') return ['customer_id', 'ordered_at'].flatMap((role) => sourced(source, role));
  const attribute = source.attributes?.[name];
  if (attribute) return [{ table: 'orders', column: attribute.column }];
  const beside = source.kind === 'generated' ? undefined : source.customers?.attributes[name];
  return beside ? [{ table: 'customers', column: beside.column }] : [];
}

/** Each column once. */
export function unique(columns: readonly SourceColumn[]): SourceColumn[] {
  return [...new Map(columns.map((one) => [`${one.table} ${one.column}`, one])).values()];
}
