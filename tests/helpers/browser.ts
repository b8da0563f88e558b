import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

// A browser in which a person's mouse and keys are moved: Chromium's own protocol over two pipes, which needs neither a
// port nor a package.

const PATIENCE_MS = 30_000;

type Answer = { result?: unknown; error?: { message: string } };

const ENDED: Answer = { error: { message: 'the browser has ended' } };

export interface Page {
  goTo(url: string): Promise<void>;
  /** Presses the middle of what the expression finds, once it is there, stands still and nothing covers it. */
  click(element: string): Promise<void>;
  /** Into the field that has the focus, in place of what is in it. */
  type(text: string): Promise<void>;
  /** The field that has the focus. */
  leave(): Promise<void>;
  /** What the expression comes to in the page, once that is true. */
  until<T>(expression: string): Promise<T>;
  /** Of the whole page, at its width. */
  screenshot(file: string): Promise<void>;
}

/** @param path of a Chromium, see browserOnPath */
export async function withBrowser(
  path: string,
  { width, height }: { width: number; height: number },
  work: (page: Page) => Promise<void>,
): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), 'strata-browser-'));
  const quiet = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run'];
  const options = [...quiet, '--disable-background-networking', `--user-data-dir=${profile}`];
  const child = spawn(path, [...options, '--remote-debugging-pipe', 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  try {
    const send = protocol(child.stdio[3] as Writable, child.stdio[4] as Readable);
    // The page that it opens with may not be there yet.
    const { targetId } = (await send('Target.createTarget', { url: 'about:blank' })) as { targetId: string };
    const attached = await send('Target.attachToTarget', { targetId, flatten: true });
    const { sessionId } = attached as { sessionId: string };
    const tell: Tell = (method, params) => send(method, params, sessionId);
    await tell('Page.enable');
    const size = { width, height, deviceScaleFactor: 1, mobile: false };
    await tell('Emulation.setDeviceMetricsOverride', size);
    await work(pageOf(tell));
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Tell = (method: string, params?: object) => Promise<unknown>;

/** Messages are JSON, each ended by a zero byte. */
function protocol(to: Writable, from: Readable) {
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  let rest = '';
  let isOver = false;
  from.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop()!;
    for (const message of messages) {
      const { id, ...answer } = JSON.parse(message) as Answer & { id?: number };
      if (id !== undefined) waiting.get(id)?.(answer);
    }
  });
  from.on('end', () => {
    isOver = true;
    for (const answer of waiting.values()) answer(ENDED);
  });
  to.on('error', () => undefined);
  return async (method: string, params: object = {}, sessionId?: string): Promise<unknown> => {
    const id = ++last;
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    to.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    const { result, error } = isOver ? ENDED : await answered;
    waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
}

/** Middle of an element that nothing covers, rounded, or null. */
const MIDDLE = `(element) => {
  if (!element || element.disabled) return null;
  element.scrollIntoView({ block: 'center', behavior: 'instant' });
  const { left, top, width, height } = element.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  const found = document.elementFromPoint(x, y);
  return found && (element.contains(found) || found.contains(element)) ? [Math.round(x), Math.round(y)].join() : null;
}`;

function pageOf(tell: Tell): Page {
  async function evaluate<T>(expression: string): Promise<T | undefined> {
    const options = { returnByValue: true, awaitPromise: true };
    const { result } = (await tell('Runtime.evaluate', { expression, ...options })) as {
      result: { value?: T };
    };
    return result.value;
  }
  async function until<T>(expression: string): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = await evaluate<T>(expression);
      if (found) return found;
      if (performance.now() > deadline)
        throw new Error(`never came to be: ${expression}\n${await evaluate('document.body.innerText')}`);
      await sleep(50);
    }
  }
  return {
    until,
    async goTo(url) {
      await tell('Page.navigate', { url });
      await until(`location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`);
    },
    async click(element) {
      const middle = () => until<string>(`(${MIDDLE})(${element})`);
      let place = await middle();
      // What still moves into its place would be missed.
      for (let before = ''; place !== before; ) {
        before = place;
        await sleep(100);
        place = await middle();
      }
      const [x, y] = place.split(',').map(Number);
      const press = { x, y, button: 'left', clickCount: 1 };
      await tell('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
      await tell('Input.dispatchMouseEvent', { type: 'mousePressed', ...press });
      await tell('Input.dispatchMouseEvent', { type: 'mouseReleased', ...press });
    },
    async type(text) {
      const all = {
        key: 'a',
        code: 'KeyA',
        windowsVirtualKeyCode: 65,
        modifiers: 2,
        commands: ['selectAll'],
      };
      await tell('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...all });
      await tell('Input.dispatchKeyEvent', { type: 'keyUp', ...all });
      await tell('Input.insertText', { text });
    },
    leave: () => evaluate('document.activeElement?.blur()'),
    async screenshot(file) {
      const { data } = (await tell('Page.captureScreenshot', { format: 'png' })) as { data: string };
      await writeFile(file, Buffer.from(data, 'base64'));
    },
  };
}
