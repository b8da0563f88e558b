import type { ActivityContext } from '../activities/context.ts';
import type { Database } from '../pipelines/stages/openlineage/datasets.ts';

/** Where OpenLineage events are sent, by OpenLineage's own variables. */
export interface LineageSettings {
  /** All of it: `https://host/api/v1/lineage`. May hold a credential, so it is never logged. */
  readonly url: string;
  /** A credential, so it is never logged. */
  readonly apiKey: string | undefined;
  /** Of the jobs. */
  readonly namespace: string;
}

type Given = Readonly<Record<string, string | undefined>>;

const ENDPOINT = 'api/v1/lineage';
const NAMESPACE = 'strata';

export const LINEAGE_VARIABLES: readonly string[] = [
  ...['OPENLINEAGE_URL', 'OPENLINEAGE_ENDPOINT', 'OPENLINEAGE_API_KEY'],
  ...['OPENLINEAGE_NAMESPACE', 'OPENLINEAGE_DISABLED'],
];

/** Null: nothing is told, as without OPENLINEAGE_URL. Source: https://openlineage.io/docs/client/python/#environment-variables */
export function parseLineageSettings(given: Given, problems: string[]): LineageSettings | null {
  const { OPENLINEAGE_URL: base, OPENLINEAGE_ENDPOINT: endpoint = ENDPOINT } = given;
  if (base === undefined || given.OPENLINEAGE_DISABLED?.toLowerCase() === 'true') return null;
  const url = URL.canParse(base) ? new URL(base) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    problems.push('OPENLINEAGE_URL must look like https://host:5000');
    return null;
  }
  const { STRATA_DATABASE_URL: store } = given;
  if (store !== undefined && isPostgres(store) && databaseAt(store) === null)
    problems.push(
      'STRATA_DATABASE_URL must name a host, or ?host=, and a percent-encoded database where OPENLINEAGE_URL is set',
    );
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${endpoint.replace(/^\/+/, '')}`;
  return Object.freeze({
    url: url.href,
    apiKey: given.OPENLINEAGE_API_KEY,
    namespace: given.OPENLINEAGE_NAMESPACE ?? NAMESPACE,
  });
}

/** For activities: where to send, and how what runs read and leave is named. */
export function lineageOf(
  settings: LineageSettings | null,
  { databaseUrl, secret }: { databaseUrl: string; secret: ActivityContext['secret'] },
): ActivityContext['lineage'] {
  const store = databaseAt(databaseUrl);
  if (settings === null || store === null) return null;
  const { url, apiKey, namespace } = settings;
  return { url, apiKey, places: { namespace, store, sourceAt: (variable) => databaseAt(secret(variable)) } };
}

const POSTGRES_PORT = '5432';

const isPostgres = (text: string) => /^postgres(ql)?:/i.test(text) && URL.canParse(text);

/** Host or folder of the socket, port and database of a connection string, without who connects. */
function databaseAt(text: string | undefined): Database | null {
  if (text === undefined || !isPostgres(text)) return null;
  const url = new URL(text);
  const host = url.searchParams.get('host') || url.hostname;
  if (!host) return null;
  const port = url.port || url.searchParams.get('port') || POSTGRES_PORT;
  const database = decoded(url.pathname.slice(1));
  if (database === null) return null;
  return {
    // A folder as connection strings have it in the place of a host: %2Frun%2Fpostgresql.
    namespace: `postgres://${host.startsWith('/') ? encodeURIComponent(host) : host}:${port}`,
    database,
  };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
