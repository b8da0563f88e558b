/** Where traces are sent, by OpenTelemetry's own variables. */
export interface TraceSettings {
  /** All of it: `http://collector:4318/v1/traces`. May hold a credential, so it is never logged. */
  readonly url: string;
  readonly protocol: Protocol;
  /** Hold credentials, so they are never logged. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the resource: `service.name` and what else was given. */
  readonly resource: Readonly<Record<string, string>>;
}

const PROTOCOLS = ['http/protobuf', 'http/json'] as const;
type Protocol = (typeof PROTOCOLS)[number];
type Given = Readonly<Record<string, string | undefined>>;

const SERVICE = 'strata';

export const TRACE_VARIABLES: readonly string[] = [
  ...['ENDPOINT', 'HEADERS', 'PROTOCOL', 'COMPRESSION'].flatMap((name) => [
    `OTEL_EXPORTER_OTLP_${name}`,
    `OTEL_EXPORTER_OTLP_TRACES_${name}`,
  ]),
  ...['OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES', 'OTEL_SDK_DISABLED', 'OTEL_TRACES_EXPORTER'],
];

/**
 * Null: nothing is told, as without an endpoint.
 *
 * @param warnings what others set for all of a cluster, and is not spoken here: that stops no worker
 * Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function parseTraceSettings(
  given: Given,
  { problems, warnings }: { problems: string[]; warnings: string[] },
): TraceSettings | null {
  if (given.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || given.OTEL_TRACES_EXPORTER === 'none') return null;
  const url = parseUrl(given, problems);
  if (url === null) return null;
  const protocol = parseProtocol(given, warnings);
  if (protocol === null) return null;
  const resource = parsePairs('OTEL_RESOURCE_ATTRIBUTES', given.OTEL_RESOURCE_ATTRIBUTES, problems);
  return Object.freeze({
    url,
    protocol,
    headers: Object.freeze(parseHeaders(given, problems)),
    resource: Object.freeze({
      'service.name': SERVICE,
      ...resource,
      ...(given.OTEL_SERVICE_NAME && { 'service.name': given.OTEL_SERVICE_NAME }),
    }),
  });
}

/** What is said of traces goes before what is said of all. */
const variablesOf = (name: string) =>
  [`OTEL_EXPORTER_OTLP_TRACES_${name}`, `OTEL_EXPORTER_OTLP_${name}`] as const;

function firstGiven(given: Given, name: 'PROTOCOL' | 'ENDPOINT'): [string, string | undefined] {
  const [ofTraces, ofAll] = variablesOf(name);
  return given[ofTraces] === undefined ? [ofAll, given[ofAll]] : [ofTraces, given[ofTraces]];
}

/** Those of all are sent as well, as the client does with what it reads itself. */
function parseHeaders(given: Given, problems: string[]): Record<string, string> {
  const [ofTraces, ofAll] = variablesOf('HEADERS').map((name) => parsePairs(name, given[name], problems));
  return { ...ofAll, ...ofTraces };
}

/** Only the address of all is a base that the path comes behind. */
function parseUrl(given: Given, problems: string[]): string | null {
  const [variable, text] = firstGiven(given, 'ENDPOINT');
  if (text === undefined) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    problems.push(`${variable} must look like http://host:4318`);
    return null;
  }
  if (variable.includes('TRACES')) return text;
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url.href;
}

function parseProtocol(given: Given, warnings: string[]): Protocol | null {
  const [variable, text = PROTOCOLS[0]] = firstGiven(given, 'PROTOCOL');
  const protocol = PROTOCOLS.find((known) => known === text) ?? null;
  if (protocol === null)
    warnings.push(`no traces are sent: ${variable} must be one of ${PROTOCOLS.join(', ')}, found "${text}"`);
  return protocol;
}

/** `name=value,name=value`, percent-encoded; a value never appears in a problem: it may be a credential. */
function parsePairs(variable: string, text: string | undefined, problems: string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const [i, pair] of (text ?? '').split(',').entries()) {
    if (pair.trim() === '') continue;
    const cut = pair.indexOf('=');
    try {
      const name = decodeURIComponent(pair.slice(0, cut).trim());
      if (cut < 1 || name === '') throw new URIError('no name');
      pairs[name] = decodeURIComponent(pair.slice(cut + 1).trim());
    } catch {
      problems.push(
        `${variable} must look like name=value,name=value, percent-encoded; entry ${i + 1} does not`,
      );
    }
  }
  return pairs;
}
