import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Page, withBrowser } from '../helpers/browser.ts';
import { unstable } from '../helpers/fake-stages.ts';
import { failedTasks } from '../helpers/inbox.ts';
import { browserOnPath } from '../helpers/page-in-browser.ts';
import { temporalUi } from '../helpers/temporal-ui.ts';
import { runWith, untilOutcome } from '../helpers/workflow-runs.ts';

const WINDOW = { width: 1200, height: 1400 };

const browser = await browserOnPath();
const ui = await temporalUi();
/** Its test ids and words are those that are looked for here. */
const UI_VERSION = '2.42.';
const isKnown = ui?.version.startsWith(UI_VERSION) ?? false;
if (ui && !isKnown)
  console.warn(`the Temporal UI is ${ui.version}, the clicks are for ${UI_VERSION}*: none is made`);

/** Expressions that find something in a page. */
const byId = (id: string) => `document.getElementById('${id}')`;
const byTestId = (id: string) => `document.querySelector('[data-testid="${id}"]')`;
const saying = (selector: string, words: string, within = 'document') =>
  `[...(${within} ?? document).querySelectorAll('${selector}')].find((one) => one.innerText.trim().startsWith('${words}'))`;
const editor = (within: string) => `${within}?.querySelector('.cm-content')`;
const shows = (words: string) => `document.body.innerText.includes(${JSON.stringify(words)})`;

/** Markdown is drawn in a frame of its own. */
const detailsShow = (words: string) =>
  `[...document.querySelectorAll('iframe')].some((one) => one.contentDocument?.body?.innerText.includes(${JSON.stringify(words)}))`;

const DIALOG = byTestId('update-confirmation-modal');

async function typeJson(page: Page, within: string, json: string): Promise<void> {
  await page.click(editor(within));
  await page.type(json);
  // When the field is left, the UI lays out what is in it and all below it moves: a button that was aimed at is missed.
  await page.leave();
}

/** Up to the button that sends it. */
async function fillUpdate(page: Page, name: string, argument: string): Promise<void> {
  await page.click(saying('button', 'More Actions'));
  await page.click(byTestId('update-button'));
  await page.click(byTestId('update-select-button'));
  await page.click(saying('[role=option]', name));
  await typeJson(page, DIALOG, argument);
}

const submit = (page: Page) => page.click(saying('button', 'Submit', DIALOG));

/** Pictures to look at, where STRATA_SCREENSHOTS names a folder for them. */
async function takePicture(page: Page, name: string): Promise<void> {
  const folder = process.env.STRATA_SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot(join(folder, `${name}.png`));
}

describe.skipIf(browser === null || !isKnown)('a person with a mouse, in the Temporal UI', () => {
  test('starts a run, sees it held, is refused in words, and publishes it', { timeout: 180_000 }, () =>
    runWith({ measureStability: unstable }, async (runs) => {
      const workflowId = `clicked/${randomUUID()}`;
      const handle = runs.client.workflow.getHandle(workflowId);
      await withBrowser(browser!, WINDOW, async (page) => {
        const picture = (name: string) => takePicture(page, name);
        const form = new URLSearchParams({ taskQueue: 'strata', workflowType: 'segmentCustomers' });
        await page.goTo(`${ui!.url}/workflows/start-workflow?${form}`);
        await page.click(byId('workflowId'));
        await page.type(workflowId);
        await typeJson(page, 'document', '{"pipeline": "shop", "asOf": "2026-07-01"}');
        await picture('start-form');
        await page.click(byTestId('start-workflow-button'));
        await page.until(shows('Workflow started successfully'));

        await untilOutcome(runs, workflowId, 'held');
        const { runId } = await handle.describe();
        const pages = `${ui!.url}/workflows/${encodeURIComponent(workflowId)}/${runId}`;
        await page.goTo(`${pages}/history`);
        await page.until(shows('nothing published to compare with'));
        await picture('run');
        await page.click(saying('a', 'User Metadata'));
        await page.until(detailsShow('held for review'));
        await picture('run-details');

        await fillUpdate(page, 'review', '{"decision": "maybe"}');
        await picture('review');
        await submit(page);
        await page.until(shows('found no such decision'));
        await picture('review-refused');
        await typeJson(page, DIALOG, '{"decision": "publish", "note": "looked at it"}');
        await submit(page);
        await page.until(shows('Update successful'));
        expect(await handle.result()).toMatchObject({
          outcome: 'published',
          reasons: ['review: publish (looked at it)'],
        });
        await page.goTo(`${pages}/query`);
        await page.click(saying('button', 'Run Query'));
        await page.until(shows('"outcome": "published"'));
        await picture('query');
      });
      expect(await failedTasks(handle)).toEqual([]);
    }),
  );
});
