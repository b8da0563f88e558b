/**
 * Prints vitest's JSON report as one line. A file that could not be run at all has no tests to count and
 * counts as one failure; so does a set-up that ended before vitest began.
 */
import { readFileSync } from 'node:fs';

const text = readFileSync(process.argv[2] ?? '', 'utf8');
if (text === '') console.error('The set-up or a check failed, so no test was run');
const { passed, failed, skipped } =
  text === '' ? { passed: 0, failed: 1, skipped: 0 } : count(JSON.parse(text));
console.log(`strata: ${passed} passed, ${failed} failed, ${skipped} skipped`);

/** @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
 *   testResults: { status: string, assertionResults: { status: string }[] }[] }} report */
function count({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) {
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + brokenFiles.length,
    skipped: numPendingTests + numTodoTests,
  };
}
