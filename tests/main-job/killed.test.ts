import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Stage } from '../../pipelines/contracts/run.ts';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories } from '../../store/postgres/repositories.ts';
import { digestsOf, openStrataHome, type StrataHome, untilProgress } from '../helpers/strata-home.ts';

const MINUTES = 60_000;

let undisturbed: ReturnType<typeof digestsOf>;

async function inHome<T>(work: (strata: StrataHome) => Promise<T>): Promise<T> {
  const strata = await openStrataHome({ fewTrials: true });
  try {
    return await work(strata);
  } finally {
    await strata.close();
  }
}

async function pidOf({ home }: StrataHome, service: 'postgres' | 'temporal'): Promise<number> {
  const state = JSON.parse(await readFile(join(home, 'services.json'), 'utf8'));
  return state.services[service].pid;
}

beforeAll(async () => {
  undisturbed = await inHome(async (strata) => {
    await strata.startWorker();
    return digestsOf(await (await strata.startRun()).result());
  });
}, 3 * MINUTES);

/** Kills with -9 as soon as the run is in the stage, brings back what has to be, and gives the run's digests. */
async function disturbed(stage: Stage, kill: (strata: StrataHome) => Promise<void>) {
  return inHome(async (strata) => {
    const worker = await strata.startWorker();
    const handle = await strata.startRun();
    await untilProgress(handle, (progress) => progress.stage === stage);
    await kill({ ...strata, startWorker: async () => worker });
    if (worker.child.signalCode !== null) await strata.startWorker();
    const summary = await handle.result();
    const knex = connect(strata.services.databaseUrl);
    try {
      const { memberships, outbox, publications } = createRepositories(knex);
      expect(summary.outcome).toBe('published');
      expect(await memberships.count(summary.runId)).toBe(summary.counts.customers);
      expect(await outbox.countUndelivered({ runId: summary.runId })).toBe(0);
      expect((await publications.current('shop'))?.runId).toBe(summary.runId);
    } finally {
      await knex.destroy();
    }
    return digestsOf(summary);
  });
}

describe('ended with kill -9 in the middle and started again, a run finishes with the digests of an undisturbed one', () => {
  test(
    'the worker, while it clusters',
    async () => {
      const digests = await disturbed('cluster', async (strata) => (await strata.startWorker()).kill());
      expect(digests).toEqual(undisturbed);
    },
    4 * MINUTES,
  );

  test(
    'PostgreSQL, while features are built and then persisted',
    async () => {
      const digests = await disturbed('features', async (strata) => {
        process.kill(await pidOf(strata, 'postgres'), 'SIGKILL');
      });
      expect(digests).toEqual(undisturbed);
    },
    4 * MINUTES,
  );

  test(
    'the Temporal server, while the extract is validated',
    async () => {
      const digests = await disturbed('validate', async (strata) => {
        process.kill(await pidOf(strata, 'temporal'), 'SIGKILL');
      });
      expect(digests).toEqual(undisturbed);
    },
    4 * MINUTES,
  );
});

describe('same in, same out', () => {
  test.each([1, 2])(
    'a run with %i threads has the digests of the first',
    async (threads) => {
      const digests = await inHome(async (strata) => {
        await strata.startWorker({ threads });
        return digestsOf(await (await strata.startRun()).result());
      });
      expect(digests).toEqual(undisturbed);
    },
    3 * MINUTES,
  );
});
