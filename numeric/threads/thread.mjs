// A thread for one job. Plain JavaScript with types in comments: it runs before anything reads TypeScript.

import { parentPort, workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

/** @typedef {import('./run-in-thread.ts').ThreadRequest} ThreadRequest */
/** @typedef {import('./run-in-thread.ts').ThreadReply} ThreadReply */

/** @param {ThreadReply} reply */
const reply = (reply) => parentPort?.postMessage(reply);

const { module, name, input } = /** @type {ThreadRequest} */ (workerData);

try {
  register();
  const job = (await import(module))[name];
  if (typeof job !== 'function') throw new TypeError(`${module} needs to export a function ${name}`);
  reply({ kind: 'started' });
  const value = await job(input, {
    /** @param {unknown} part */
    onPart: (part) => reply({ kind: 'part', part }),
    /** @param {number} done @param {number} of */
    onProgress: (done, of) => reply({ kind: 'progress', done, of }),
  });
  reply({ kind: 'ended', value });
} catch (error) {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  reply({ kind: 'failed', error: { name, message } });
} finally {
  // Else threads of the job's own would keep this one alive.
  parentPort?.close();
}
