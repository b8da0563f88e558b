import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that share task queues or hold the machine to a time go one file after another, when the rest is done. */
const ALONE = [
  'tests/workflows/**/*.test.ts',
  'tests/main-job/cancelled.test.ts',
  'tests/activities/stages.test.ts',
];

/** Each lane may run whole Stratas with servers of their own. */
const LANES = Math.min(4, Math.max(2, availableParallelism()));

/** Folders whose files take minutes begin first, so that no lane is left with one of them at the end. */
const LONGEST = ['tests/main-job/', 'tests/scripts/', 'tests/activities/'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const folder = LONGEST.findIndex((part) => moduleId.includes(part));
      return folder === -1 ? LONGEST.length : folder;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    globalSetup: ['tests/helpers/global-set-up.ts'],
    setupFiles: ['tests/helpers/ports-of-lane.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: 'lanes', include: ['tests/**/*.test.ts'], exclude: ALONE, maxWorkers: LANES },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, fileParallelism: false },
      },
    ],
  },
});
