/**
 * Run as a program of its own, since the SDK's download can be ended only by ending its process:
 * node download-temporal.mjs FOLDER VERSION. The SDK has no call that only downloads; it starts the server
 * as well, which is stopped at once.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [downloadDir, version] = process.argv.slice(2);
try {
  const executable = /** @type {const} */ ({ type: 'cached-download', downloadDir, version });
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  await environment.teardown();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
