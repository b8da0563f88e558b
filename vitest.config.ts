import { defineConfig } from 'vitest/config';

// Tests that share the Temporal server and its task queues go one file after another; the rest in parallel.
const WITH_SERVICES = ['tests/workflows/**', 'tests/activities/**', 'tests/scripts/**', 'tests/main-job/**'];

export default defineConfig({
  test: {
    globalSetup: ['tests/helpers/global-set-up.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: { name: 'parts', include: ['tests/**/*.test.ts'], exclude: WITH_SERVICES },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: WITH_SERVICES.map((folder) => `${folder}/*.test.ts`),
          fileParallelism: false,
        },
      },
    ],
  },
});
