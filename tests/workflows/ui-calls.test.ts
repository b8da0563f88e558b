import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HANDLERS, WORKFLOWS } from '../../pipelines/contracts/signatures.ts';
import { FULL_OUTBOX, fuzzStages, STAYS } from '../helpers/fuzz-stages.ts';
import { failedTasks } from '../helpers/inbox.ts';
import { moment } from '../helpers/moment.ts';
import { bundleWorkflows, type TestRuns, withWorker } from '../helpers/temporal.ts';
import { type Execution, temporalUi } from '../helpers/temporal-ui.ts';

type WorkflowName = keyof typeof WORKFLOWS;

/** Something a person does on the page of an execution, and what they are told; a signal is not answered. */
type Sent = [name: string, argument: string, answer?: RegExp];

interface Form {
  /** What is typed into the start form. */
  input: string;
  /** What comes of the form with nothing in it. */
  nothing: 'taken' | RegExp;
  queries: Sent[];
  signals?: Sent[];
  /** In this order. */
  updates?: Sent[];
  /** Of a run that may go on, once it is held; the last one ends it. */
  held?: Sent[];
}

const NEEDS_RUN = /a run that is (held|paused)/;
const PAUSED = /begins no stage until it is resumed|stops before name until it is resumed/;
const RENAME = JSON.stringify({ segment: 'seg_0', name: 'Our best', because: 'spring', by: 'Ann' });

/** As long as nobody lets it go on it stands in its first stage. */
const RUN: Omit<Form, 'input'> = {
  nothing: 'taken',
  queries: [
    ['progress', '', /"stage":"extract"/],
    ['progress', '{"since": "yesterday"}', /"outcome":"running"/],
  ],
  updates: [
    ['pause', '', PAUSED],
    ['resume', '', /the run goes on/],
    ['resume', 'null', NEEDS_RUN],
    ['pause', '{"before": "name", "because": "the export is wrong"}', PAUSED],
    ['resume', '{"because": "it is right"}', /the run goes on/],
    ['pause', '["now"]', /pause needs nothing, or \{"before": "…", "because": "…"\}.*found no object/],
    ['review', '', /review needs \{"decision": "publish" or "reject".*found no object/],
    ['review', '{"decision": "publish"}', NEEDS_RUN],
    ['renameSegment', '', /renameSegment needs \{"segment": .*found no object/],
    ['renameSegment', RENAME, /"name":"Our best"/],
  ],
  held: [
    ['pause', '', /this one is held and does nothing until it is reviewed/],
    ['review', '{"decision": "maybe"}', /found no such decision/],
    ['review', '{"decision": "publish", "note": "looked at it"}', /the run will be published/],
  ],
};

const LANDED = '{"input": "orders", "asOf": "2026-07-01", "id": "load-17"}';

/** Every workflow, as a person in the UI meets it. */
const FORMS: Record<WorkflowName, Form> = {
  segmentCustomers: { ...RUN, input: '{"pipeline": "shop", "asOf": "2026-07-01", "k": 3}' },
  assignCustomers: { ...RUN, input: '{"pipeline": "shop", "asOf": "2026-07-01"}' },
  compareAlgorithms: {
    input: '{"pipeline": "shop"}',
    nothing: 'taken',
    queries: [['progress', '', /"candidates":\[\{"candidate"/]],
  },
  backfillRuns: {
    input: '{"from": "2026-05-01", "to": "2026-06-01", "every": "month"}',
    nothing: 'taken',
    queries: [['progress', '', /"current":\{"asOf":"2026-05-01"/]],
  },
  reproduceRun: {
    input: '{"run": "run_b5f0c0de"}',
    nothing: 'taken',
    queries: [['progress', '', /"stage":"validate"/]],
  },
  preserveHistory: {
    input: JSON.stringify({ runId: null, workflow: { id: `${STAYS}run`, runId: randomUUID() } }),
    nothing: /preserveHistory needs \{"runId": /,
    queries: [['progress', '', /keeps its history/]],
  },
  deliverMessages: {
    input: `{"pipeline": "${FULL_OUTBOX}"}`,
    nothing: /deliverMessages needs \{"pipeline": NAME\}/,
    queries: [['progress', '', /delivers the outbox of \*\*full-outbox\*\*/]],
    signals: [
      ['more', ''],
      ['more', '{"of": "run_1"}'],
    ],
  },
  pipelineInbox: {
    input: '{"pipeline": "shop"}',
    nothing: 'taken',
    queries: [
      ['inbox', '', /"pipeline":"shop"/],
      ['inbox', '{"ids": ["load-17"]}', /"load-17":\d/],
      ['inbox', '"load-17"', /"pipeline":"shop"/],
    ],
    signals: [
      ['extractLanded', ''],
      ['extractLanded', LANDED],
      ['requestRun', ''],
      ['requestRun', '{"kind": "assign", "asOf": "2026-07-01"}'],
    ],
    updates: [
      ['extractLanded', '', /"answer":"taken"/],
      ['extractLanded', LANDED, /"answer":"repeated"/],
      ['extractLanded', '"orders"', /extractLanded needs .*found/],
      ['requestRun', '', /"answer":"taken"/],
      ['requestRun', '{"kind": "refit", "asOf": "2026-07-01", "id": "ask-1"}', /"answer":"taken"/],
    ],
  },
  watchSchedules: {
    input: '{"pipeline": "shop"}',
    nothing: 'taken',
    queries: [['progress', '', /looks whether each due time of every schedule has its run/]],
  },
};

const namesOf = (sent: readonly Sent[] = []) => [...new Set(sent.map(([name]) => name))].sort();
const definedIn = (definitions: readonly { name: string }[] = []) =>
  definitions
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('__'))
    .sort();

test('every workflow has its form here, and every handler is sent to', () => {
  expect(Object.keys(FORMS).sort()).toEqual(Object.keys(WORKFLOWS).sort());
  const sent = Object.values(FORMS).flatMap(({ queries, signals = [], updates = [] }) =>
    namesOf([...queries, ...signals, ...updates]),
  );
  expect(namesOf(sent.map((name) => [name, '']))).toEqual(Object.values(HANDLERS).sort());
});

const ui = await temporalUi();
/** Workflow ids of runs that may go on. */
const released = new Set<string>();

/** As long as its execution is not cancelled, terminated or let go on. */
async function stands(workflowId = ''): Promise<void> {
  const context = Context.current();
  while (!released.has(workflowId)) {
    context.heartbeat();
    await Promise.race([context.cancelled, sleep(100)]);
  }
}

function standing() {
  const stages = fuzzStages();
  return {
    ...stages,
    async extractCustomers(given: Parameters<typeof stages.extractCustomers>[0]) {
      await stands(given.run.workflow.id);
      return stages.extractCustomers(given);
    },
    async fitCandidate(given: Parameters<typeof stages.fitCandidate>[0]) {
      await stands();
      return stages.fitCandidate(given);
    },
    async reproduceStage(given: Parameters<typeof stages.reproduceStage>[0]) {
      await stands();
      return stages.reproduceStage(given);
    },
    async tellMissedRuns(given: Parameters<typeof stages.tellMissedRuns>[0]) {
      await stands();
      return stages.tellMissedRuns(given);
    },
  };
}

const PATIENCE = { timeout: 60_000, interval: 50 };

describe.skipIf(ui === null)('as the Temporal UI does it', { timeout: 120_000 }, () => {
  const [ready, over] = [moment(), moment()];
  let runs: TestRuns;
  let working: Promise<void>;

  beforeAll(async () => {
    const bundle = await bundleWorkflows();
    working = withWorker({ bundle, activities: standing() }, async (given) => {
      runs = given;
      ready.happens();
      await over.happened;
    });
    await Promise.race([ready.happened, working]);
  }, 120_000);

  afterAll(async () => {
    over.happens();
    await working;
  });

  const newId = (type: string) => `ui/${type}/${randomUUID()}`;
  const statusOf = async (execution: Execution) => (await ui!.describe(execution)).status;
  const handleOf = ({ workflowId, runId }: Execution) => runs.client.workflow.getHandle(workflowId, runId);
  const untilAnswered = (execution: Execution, [name, argument, answer]: Sent) =>
    expect
      .poll(async () => JSON.stringify(await ui!.query(execution, name, argument)), PATIENCE)
      .toMatch(answer!);

  async function sendUpdates(execution: Execution, updates: readonly Sent[] = []) {
    for (const [name, argument, words] of updates) {
      const told = await ui!.update(execution, name, argument);
      const text = 'refusal' in told ? told.refusal : JSON.stringify(told);
      expect(text, `${name} ${argument}`).toMatch(words!);
    }
  }

  async function ends(execution: Execution, status: string) {
    await expect.poll(() => statusOf(execution), PATIENCE).toBe(status);
    expect(await failedTasks(handleOf(execution))).toEqual([]);
  }

  const forms = Object.entries(FORMS);

  test.each(forms)('%s is started, asked and told by its forms', async (workflowType, form) => {
    const { input, queries, signals = [], updates, held } = form;
    const execution = await ui!.start({ workflowType, workflowId: newId(workflowType), input });
    await untilAnswered(execution, queries[0]!);
    const { definition, currentDetails } = await ui!.metadata(execution);
    expect(currentDetails).not.toBe('');
    const defined = [definition.queryDefinitions, definition.signalDefinitions, definition.updateDefinitions];
    expect(defined.map(definedIn)).toEqual([queries, signals, updates].map(namesOf));
    // Without a description the UI lists a bare name, and nobody knows what to type.
    const described = defined.flat().filter((one) => one && !one.name.startsWith('__'));
    for (const one of described) expect(one?.description, one?.name).toMatch(/\w+ \w+/);
    for (const [name, argument] of signals) await ui!.signal(execution, name, argument);
    await sendUpdates(execution, updates);
    for (const query of queries) await untilAnswered(execution, query);
    if (held === undefined) {
      await ui!.cancel(execution);
      return ends(execution, 'CANCELED');
    }
    released.add(execution.workflowId);
    await untilAnswered(execution, ['progress', '', /"outcome":"held"/]);
    await sendUpdates(execution, held);
    return ends(execution, 'COMPLETED');
  });

  test.each(forms)('%s is started with nothing in its form', async (workflowType, { nothing, queries }) => {
    const execution = await ui!.start({ workflowType, workflowId: newId(workflowType) });
    if (nothing !== 'taken') {
      const error = await handleOf(execution)
        .result()
        .catch((caught: unknown) => caught);
      expect(String((error as Error).cause)).toMatch(nothing);
      return ends(execution, 'FAILED');
    }
    await expect.poll(() => ui!.query(execution, queries[0]![0]), PATIENCE).toBeTruthy();
    await ui!.cancel(execution);
    return ends(execution, 'CANCELED');
  });
});
