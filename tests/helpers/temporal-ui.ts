import { findUi } from '../../scripts/services/index.ts';
import { temporalAddress } from './temporal.ts';

// What the pages of the Temporal UI send when a person presses a button, field for field as version 2.42 does: one
// JSON argument or none, whatever is left of the last run in the start form, and nothing that only an SDK would add.

/** What is typed into a field of the UI; an empty field is no argument. */
export type Typed = string;

interface Payload {
  metadata?: Record<string, string>;
  data?: string;
}

export interface Execution {
  workflowId: string;
  runId: string;
}

export interface StartForm {
  workflowType: string;
  workflowId: string;
  input?: Typed;
  summary?: string;
  searchAttributes?: Record<string, unknown>;
}

interface HandlerDefinition {
  name: string;
  description?: string;
}

/** What the page of an execution is drawn from. */
export interface Metadata {
  definition: {
    type: string;
    queryDefinitions?: HandlerDefinition[];
    signalDefinitions?: HandlerDefinition[];
    updateDefinitions?: HandlerDefinition[];
  };
  currentDetails?: string;
}

/** Of an update: what was answered, or the words of the refusal. */
export type UpdateAnswer = { answer: unknown } | { refusal: string };

export interface TemporalUi {
  /** Of its pages, up to the namespace. */
  readonly url: string;
  /** Such as 2.42.1. */
  readonly version: string;
  /** The form as it opens for a type: with what the last run of the type was started with, and its attributes now. */
  prefilled(workflowType: string): Promise<Omit<StartForm, 'workflowId'>>;
  start(form: StartForm): Promise<Execution>;
  metadata(execution: Execution): Promise<Metadata>;
  query(execution: Execution, name: string, argument?: Typed): Promise<unknown>;
  signal(execution: Execution, name: string, argument?: Typed): Promise<void>;
  update(execution: Execution, name: string, argument?: Typed): Promise<UpdateAnswer>;
  cancel(execution: Execution): Promise<void>;
  describe(execution: Execution): Promise<{ status: string; attributes: Record<string, unknown> }>;
}

const NAMESPACE = 'default';
const TASK_QUEUE = 'strata';

/** The UI of the tests' server, by HTTP; null, and said so, where that server was started without one. */
export async function temporalUi(): Promise<TemporalUi | null> {
  const origin = process.env.STRATA_TEST_TEMPORAL_UI ?? (await findUi(temporalAddress()));
  if (origin === undefined) {
    console.warn(`the Temporal server at ${temporalAddress()} has no UI: nothing is sent as its pages do`);
    return null;
  }
  const { request, version } = await openApi(origin);
  const executions = `/namespaces/${NAMESPACE}/workflows`;
  const pathOf = ({ workflowId }: Pick<Execution, 'workflowId'>) =>
    `${executions}/${encodeURIComponent(workflowId)}`;
  const describe = async ({ workflowId, runId }: Execution) => {
    const path = `${pathOf({ workflowId })}?${new URLSearchParams({ 'execution.runId': runId })}`;
    const { workflowExecutionInfo: info } = await request(path);
    const fields: Record<string, Payload> = info.searchAttributes?.indexedFields ?? {};
    const attributes = Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, read(one)]));
    return { status: String(info.status).replace('WORKFLOW_EXECUTION_STATUS_', ''), attributes };
  };
  const query = async ({ workflowId, runId }: Execution, queryType: string, argument: Typed = '') => {
    const queryArgs = argument ? { payloads: payloadsOf(argument) } : null;
    const body = { execution: { workflowId, runId }, query: { queryType, queryArgs } };
    const { queryResult } = await request(`${pathOf({ workflowId })}/query/${queryType}`, body);
    return read(queryResult.payloads[0]);
  };
  return {
    url: `${origin}/namespaces/${NAMESPACE}`,
    version,
    describe,
    query,
    metadata: (execution) => query(execution, '__temporal_workflow_metadata') as Promise<Metadata>,
    async prefilled(workflowType) {
      const asked = new URLSearchParams({ query: `WorkflowType = "${workflowType}"`, pageSize: '1' });
      const { executions: found = [] } = await request(`${executions}?${asked}`);
      if (found.length === 0) return { workflowType };
      const { execution } = found[0];
      const { attributes } = await describe(execution);
      const own = Object.entries(attributes).filter(([name]) => name.startsWith('Strata'));
      const first = new URLSearchParams({ 'execution.runId': execution.runId, maximumPageSize: '1' });
      const { history } = await request(`${pathOf(execution)}/history?${first}`);
      const { input } = history.events[0].workflowExecutionStartedEventAttributes;
      const argument = input?.payloads?.[0];
      return {
        workflowType,
        ...(argument && { input: JSON.stringify(read(argument)) }),
        searchAttributes: Object.fromEntries(own),
      };
    },
    async start({ workflowType, workflowId, input = '', summary = '', searchAttributes = {} }) {
      const given = Object.entries(searchAttributes).map(([name, value]) => [name, payloadOf(value)]);
      const { runId } = await request(pathOf({ workflowId }), {
        workflowId,
        taskQueue: { name: TASK_QUEUE },
        workflowType: { name: workflowType },
        input: input ? { payloads: payloadsOf(input) } : null,
        userMetadata: summary ? { summary: payloadOf(summary) } : {},
        searchAttributes: given.length > 0 ? { indexedFields: Object.fromEntries(given) } : null,
        identity: 'a person',
      });
      return { workflowId, runId };
    },
    async signal({ workflowId, runId }, signalName, argument = '') {
      await request(`${pathOf({ workflowId })}/signal/${signalName}`, {
        signalName,
        workflowExecution: { workflowId, runId },
        input: { payloads: payloadsOf(argument) },
      });
    },
    async update({ workflowId, runId }, name, argument = '') {
      const { outcome } = await request(`${pathOf({ workflowId })}/update/${name}`, {
        workflowExecution: { runId },
        request: {
          meta: { updateId: crypto.randomUUID() },
          input: { args: { payloads: payloadsOf(argument) } },
        },
      });
      if (outcome.failure) return { refusal: outcome.failure.message };
      return { answer: read(outcome.success?.payloads?.[0]) };
    },
    async cancel({ workflowId, runId }) {
      const params = new URLSearchParams({ 'execution.runId': runId });
      await request(`${pathOf({ workflowId })}/cancel?${params}`, {});
    },
  };
}

type Request = (path: string, body?: object) => Promise<ReturnType<typeof JSON.parse>>;

/** With the token that the UI's server gives to its own pages. */
async function openApi(origin: string): Promise<{ request: Request; version: string }> {
  const settings = await fetch(`${origin}/api/v1/settings`);
  const cookies = settings.headers.getSetCookie().map((cookie) => cookie.split(';')[0]!);
  const token = cookies.find((cookie) => cookie.startsWith('_csrf='))?.slice('_csrf='.length);
  const headers = {
    'Caller-Type': 'operator',
    cookie: cookies.join('; '),
    ...(token && { 'X-CSRF-TOKEN': token }),
  };
  const { Version: version } = (await settings.json()) as { Version: string };
  const request: Request = async (path, body) => {
    const options = body ? { method: 'POST', body: JSON.stringify(body) } : {};
    const response = await fetch(`${origin}/api/v1${path}`, { headers, ...options });
    const answer = (await response.json()) as { message?: string };
    if (!response.ok) throw new Error(`${path}: ${response.status} ${answer.message}`);
    return answer;
  };
  return { request, version };
}

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');

function payloadOf(value: unknown): Payload {
  return { metadata: { encoding: base64('json/plain') }, data: base64(JSON.stringify(value)) };
}

function payloadsOf(typed: Typed): Payload[] | null {
  return typed ? [payloadOf(JSON.parse(typed))] : null;
}

function read(payload: Payload | undefined): unknown {
  return payload?.data ? JSON.parse(Buffer.from(payload.data, 'base64').toString('utf8')) : undefined;
}
