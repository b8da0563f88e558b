import type { Definition } from '../../contracts/definition.ts';
import type { Run, RunSummary } from '../../contracts/run.ts';
import { columnsRead, type SourceColumn, sourceColumnsOfFeatures, sourced, unique } from './columns.ts';
import { type Dataset, facet } from './facets.ts';

/** Where data lies, as OpenLineage names it: `postgres://host:5432` and a database. Never a user or a password. */
export interface Database {
  namespace: string;
  database: string;
}

export interface Places {
  /** Of our own tables. */
  store: Database;
  /** Of a source that is a database, by the variable that holds its address; null where none is known. */
  sourceAt(variable: string): Database | null;
  /** Namespace of jobs and of what only Strata knows. */
  namespace: string;
}

/** How much of what there is. */
export type Found = Pick<RunSummary, 'counts' | 'segments'>;

type Named = Pick<Dataset, 'namespace' | 'name'>;
type Tables = Record<SourceColumn['table'], Named[]>;

/**
 * What a run reads. Names are of OpenLineage's convention: files by their path, in their bucket or in `file`; a query,
 * whose tables are not known, by its database and pipeline.
 *
 * Source: https://github.com/OpenLineage/OpenLineage/blob/main/spec/Naming.md
 */
export function inputsOf(
  run: Pick<Run, 'pipeline' | 'extract'>,
  definition: Definition,
  places: Places,
): Dataset[] {
  const tables = tablesOf(run, definition, places);
  return (['orders', 'customers'] as const).flatMap((table) =>
    tables[table].map((named) => ({
      ...named,
      facets: {
        schema: facet('schema', {
          fields: columnsRead(definition.source, table).map((name) => ({ name })),
        }),
        dataSource: facet('dataSource', { name: named.namespace, uri: named.namespace }),
      },
    })),
  );
}

/** What a published run leaves for readers, and which columns of its inputs each column rests on. */
export function outputsOf(
  run: Pick<Run, 'pipeline' | 'extract'>,
  definition: Definition,
  { found, places }: { found: Found | null; places: Places },
): Dataset[] {
  const tables = tablesOf(run, definition, places);
  const inputFields = (columns: readonly SourceColumn[]) => ({
    inputFields: columns.flatMap(({ table, column }) =>
      tables[table].map((named) => ({ ...named, field: column })),
    ),
  });
  const features = sourceColumnsOfFeatures(definition);
  const clustered = definition.features.cluster.flatMap(({ feature }) => features.get(feature) ?? []);
  const ids = sourced(definition.source, 'customer_id');
  const { namespace, database } = places.store;
  const rows = (rowCount: number | undefined) =>
    rowCount !== undefined && {
      outputFacets: { outputStatistics: facet('outputStatistics', { rowCount }) },
    };
  return [
    {
      ...{ namespace: `strata://${places.namespace}`, name: `${run.pipeline}/features` },
      facets: {
        schema: facet('schema', {
          fields: [...definition.features.aggregate, ...definition.features.derive].map(
            ({ name, unit, why }) => ({ name, type: unit, description: why }),
          ),
        }),
        columnLineage: facet('columnLineage', {
          fields: Object.fromEntries([...features].map(([name, columns]) => [name, inputFields(columns)])),
        }),
      },
      ...rows(found?.counts.customers),
    },
    {
      ...{ namespace, name: `${database}.public.published_memberships` },
      facets: {
        schema: facet('schema', { fields: MEMBERSHIPS.map(([name, type]) => ({ name, type })) }),
        dataSource: facet('dataSource', { name: namespace, uri: namespace }),
        columnLineage: facet('columnLineage', {
          fields: { customer_id: inputFields(ids), segment_id: inputFields(unique(clustered)) },
        }),
      },
      ...rows(found?.counts.customers),
    },
    {
      ...{ namespace, name: `${database}.public.published_segments` },
      facets: {
        dataSource: facet('dataSource', { name: namespace, uri: namespace }),
        columnLineage: facet('columnLineage', {
          fields: { segment_id: inputFields(unique(clustered)), customers: inputFields(ids) },
        }),
      },
      ...rows(found?.segments.length),
    },
  ];
}

const MEMBERSHIPS = [
  ['pipeline', 'text'],
  ['customer_id', 'text'],
  ['segment_id', 'text'],
  ['run_id', 'text'],
  ['as_of', 'date'],
] as const;

function tablesOf(
  { pipeline, extract }: Pick<Run, 'pipeline' | 'extract'>,
  { source }: Definition,
  places: Places,
): Tables {
  const own = `strata://${places.namespace}`;
  const unnamed = (table: string): Named => ({ namespace: own, name: `${pipeline}/${table}` });
  const orders = (): Named[] => {
    if (extract !== null) return filesNamed(extract, unnamed('orders'));
    if (source.kind === 'generated') return [{ namespace: own, name: `${pipeline}/generated` }];
    if (source.kind === 'file') return filesNamed(source.path ?? [], unnamed('orders'));
    return [queried(source.urlFrom, `${pipeline}_orders`)];
  };
  const queried = (variable: string, query: string): Named => {
    const found = places.sourceAt(variable);
    return found === null
      ? { namespace: own, name: `${variable}/${query}` }
      : { namespace: found.namespace, name: `${found.database}.query.${query}` };
  };
  const beside = source.kind === 'generated' ? undefined : source.customers;
  const customers =
    beside === undefined
      ? []
      : beside.kind === 'file'
        ? filesNamed(beside.path, unnamed('customers'))
        : [queried(beside.urlFrom, `${pipeline}_customers`)];
  return { orders: orders(), customers };
}

/**
 * A file by its path, what has a scheme by its host and path: who asks for it and what was signed into its address stays
 * here. What is neither may hold anything and goes by the name `otherwise`.
 */
function filesNamed(paths: string | readonly string[], otherwise: Named): Named[] {
  const named = [paths].flat().map((path) => fileNamed(path) ?? otherwise);
  return named.filter((one, i) => one !== otherwise || named.indexOf(one) === i);
}

const ADDRESS = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/i;
/** A name and a password before a host, and a query: in an address whose scheme was forgotten. */
const NO_PATH = /^[^/]*:[^/]*@|\?[\w-]+=/;

function fileNamed(path: string): Named | null {
  if (!path.includes('://')) return NO_PATH.test(path) ? null : { namespace: 'file', name: path };
  const [, scheme = '', authority = '', rest = ''] = ADDRESS.exec(path) ?? [];
  if (scheme.toLowerCase() === 'file' && authority === '' && rest !== '')
    return { namespace: 'file', name: rest };
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const name = rest.replace(/^\/+/, '');
  // With a slash in its password, an address has the name of who asks in the place of its host.
  const isPassword = authority === host && host.includes(':') && rest.includes('@');
  if (isPassword || !/^[\w.-]+(:\d+)?$/.test(host) || name === '') return null;
  return { namespace: `${scheme.toLowerCase()}://${host}`, name };
}
