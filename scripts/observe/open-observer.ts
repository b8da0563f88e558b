import type { MetricsBuffer } from '@temporalio/worker';
import type { Knex } from 'knex';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { WORKFLOWS } from '../../pipelines/contracts/signatures.ts';
import { createRunFiguresRepository } from '../../store/postgres/run-figures.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { StrataWorker } from '../strata-worker.ts';
import type { ActivityEnded } from './activity-ended.ts';
import { lineAbout } from './activity-log.ts';
import { askOnce, NO_ANSWER } from './ask-once.ts';
import { createProductMetrics, type RunFigures } from './product-metrics.ts';
import { createReadiness } from './readiness.ts';
import { createSdkMetrics } from './sdk-metrics.ts';
import { startObserverServer } from './server.ts';

/** What a worker tells those who watch it: lines of its log, and where a port is given, pages. */
export interface Observer {
  /** Where the pages are; null: nowhere. */
  readonly url: string | null;
  /** For Temporal's SDK, which tells its own there; undefined: it tells none. */
  readonly sdkMetrics: MetricsBuffer | undefined;
  hear(ended: ActivityEnded): void;
  /** From now on it is ready while all of this is. */
  watch(parts: Watched): void;
  /** Takes no work any more: /readyz says so at once. */
  drain(): void;
  close(): Promise<void>;
}

export interface Watched {
  worker: StrataWorker;
  knex: Knex;
  /** Digest of the code that makes numbers. */
  code: string;
  /** Those that there are definitions of by now. */
  pipelines(): Promise<readonly string[]>;
}

/** Probes of containers give up after a second or a few. */
const ANSWER_WITHIN_MS = 2_000;
/** More pipelines than anyone has; beyond, those that were published longest ago are not told. */
const MOST_PIPELINES = 200;

/** @throws PipelineError PORT_UNAVAILABLE */
export async function openObserver(config: Pick<Config, 'metrics'>, log: Log): Promise<Observer> {
  const { port, host } = config.metrics;
  if (port === null) return logAlone(log);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const product = createProductMetrics(registry);
  const sdk = createSdkMetrics(registry);
  const readiness = createReadiness({ withinMs: ANSWER_WITHIN_MS });
  let readFigures: () => Promise<RunFigures | null> = async () => null;
  let listPipelines: Watched['pipelines'] = async () => [];
  const read = async () => {
    const [report, figures] = await Promise.all([readiness.report(), readFigures()]);
    // A folder that cannot be read is the runs' fault to tell.
    product.expect(await listPipelines().catch(() => []));
    product.showFigures(figures);
    product.showReadiness(report);
    sdk.drain();
    return registry.metrics();
  };
  const server = await startObserverServer(
    { port, host },
    { readiness, metrics: { contentType: registry.contentType, read } },
  );
  return {
    url: server.url,
    sdkMetrics: sdk.buffer,
    hear(ended) {
      product.count(ended);
      tell(log, ended);
    },
    watch({ worker, knex, code, pipelines }) {
      product.showBuild(code);
      sdk.know([...Object.values(WORKFLOWS), ...worker.activityTypes]);
      readFigures = readerOf(knex);
      listPipelines = pipelines;
      readiness.watch(checksOf(worker, knex));
    },
    drain: () => readiness.drain(),
    async close() {
      sdk.close();
      await server.close();
    },
  };
}

/** Null while PostgreSQL is away. */
function readerOf(knex: Knex): () => Promise<RunFigures | null> {
  const figures = createRunFiguresRepository(knex);
  const limit = MOST_PIPELINES;
  const ask = askOnce(async () => {
    const asked = { limit, withinMs: ANSWER_WITHIN_MS };
    const [published, open] = await Promise.all([figures.published(asked), figures.open(asked)]);
    return { published, open };
  }, ANSWER_WITHIN_MS);
  return async () => {
    const found = await ask().catch(() => null);
    return found === NO_ANSWER ? null : found;
  };
}

function tell(log: Log, ended: ActivityEnded): void {
  const { level, message, about } = lineAbout(ended);
  log[level](message, about);
}

function logAlone(log: Log): Observer {
  return {
    url: null,
    sdkMetrics: undefined,
    hear: (ended) => tell(log, ended),
    watch: () => undefined,
    drain: () => undefined,
    close: async () => undefined,
  };
}

const checksOf = (worker: StrataWorker, knex: Knex) => ({
  async temporal() {
    await worker.ping();
    return null;
  },
  async postgresql() {
    // Given up by the pool, too: a connection on which nothing comes would keep the worker from ending.
    await knex.raw('select 1').timeout(ANSWER_WITHIN_MS);
    return null;
  },
  async polling() {
    const queues = worker.notPolling();
    return queues.length === 0 ? null : `nothing polls ${queues.join(', ')}`;
  },
});
