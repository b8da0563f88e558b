// A kernel thread. Plain JavaScript with types in comments: it needs no loader and starts in milliseconds.

import { parentPort } from 'node:worker_threads';
import { DONE } from './control.mjs';
import { fitBest, fitTogether } from './fit.mjs';
import { assignChunks } from './nearest.mjs';
import { silhouetteBlocks } from './silhouette.mjs';

/** @typedef {import('./tasks.ts').Request} Request */

/**
 * @param {Request} request
 * @returns {import('./tasks.ts').Fit | null}
 */
function perform({ task, control, source }) {
  switch (task.kind) {
    case 'fit': {
      const fit = fitBest(task, { control, source });
      Atomics.add(control, DONE, 1);
      return fit;
    }
    case 'teamFit':
      return fitTogether(task, control);
    case 'nearest':
      assignChunks(task, control);
      return null;
    case 'silhouette':
      silhouetteBlocks(task, control);
      return null;
  }
}

parentPort?.on('message', (/** @type {Request} */ request) => {
  /** @type {import('./tasks.ts').Reply} */
  let reply;
  try {
    reply = { value: perform(request) };
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    reply = { error: { name, message } };
  }
  parentPort?.postMessage(reply);
});
