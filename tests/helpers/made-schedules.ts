import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { parseFiles } from '../../pipelines/contracts/definition.ts';
import { scheduleIdOf } from '../../pipelines/stages/schedules/facts.ts';
import type { Wanted } from '../../scripts/schedules/wanted.ts';
import { shortDefinition } from './short-definition.ts';
import { temporalAddress } from './temporal.ts';

/** Schedules on the tests' server, as `apply` would make them of files; each is gone after its test. */
export async function openSchedules() {
  const connection = await Connection.connect({ address: temporalAddress() });
  const client = new Client({ connection });
  const made: string[] = [];
  return {
    client,
    /** Ids of those that go after the test. */
    made,
    /** The wanted schedules of a pipeline, by what stands in its file. */
    wantedOf(pipeline: string, schedule: string): Wanted[] {
      const files = shortDefinition({ pipeline, schedule });
      return parseFiles(pipeline, files).schedules.map((one) => {
        const id = scheduleIdOf(pipeline, one.name);
        made.push(id);
        return { id, pipeline, schedule: one, shop: 'UTC' };
      });
    },
    async clear(): Promise<void> {
      for (const id of made.splice(0))
        await client.schedule
          .getHandle(id)
          .delete()
          .catch(() => undefined);
    },
    close: () => connection.close(),
  };
}

/** A pipeline of its own for each test: schedules outlive the test that made them. */
export const newPipelineName = () => `p${randomUUID().slice(0, 8)}`;

export async function once(check: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error('it never came');
    await sleep(100);
  }
}
