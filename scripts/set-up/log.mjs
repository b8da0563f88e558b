/**
 * What a person sees while things are set up: one line per step. On a terminal the running steps share
 * one line that is drawn anew; elsewhere (CI, a file) a long step says it began and speaks up now and
 * then. Everything goes to stderr, so that stdout holds results alone. Node built-ins only: it is used
 * before any package is installed.
 *
 * @typedef {'debug' | 'info' | 'warn' | 'error'} LogLevel
 *
 * @typedef {object} Step
 * @property {(detail: string, options?: { expectedMs?: number }) => void} update says how far it is, and how long all of it may take
 * @property {(detail?: string) => void} done ends it: with its time and what came of it
 * @property {(detail?: string) => void} fail ends it as failed
 * @property {() => void} skip ends it without a word: there was nothing to do; only the first end counts
 *
 * @typedef {Record<string, unknown>} About what a line is about, for logs that machines read; people are not shown it
 *
 * @typedef {object} Log
 * @property {(name: string, options?: { expectedMs?: number }) => Step} step `expectedMs` gives a guess of the rest
 * @property {(text: string, about?: About) => void} debug
 * @property {(text: string, about?: About) => void} info
 * @property {(text: string, about?: About) => void} warn
 * @property {(text: string, about?: About) => void} error
 *
 * @typedef {{ name: string, detail: string, startMs: number, expectedMs?: number, spokeMs: number, announced: boolean }} RunningStep
 */

const LEVELS = ['debug', 'info', 'warn', 'error'];
const FRAMES = ['◐', '◓', '◑', '◒'];
/** Without a terminal: a step shorter than this prints its end only; a longer one speaks up this often. */
const ANNOUNCE_AFTER_MS = 2_000;
const SPEAK_EVERY_MS = 10_000;

/** @type {Set<() => void>} */
const screens = new Set();

/** Before an error is printed: no step draws itself any more, and the line of those that ran is empty. */
export function clearSteps() {
  for (const clear of screens) clear();
}

/**
 * @param {{ stream?: import('node:tty').WriteStream | NodeJS.WritableStream, level?: LogLevel }} [options]
 * @returns {Log}
 */
export function createLog({ stream = process.stderr, level = 'info' } = {}) {
  const screen = createScreen(stream);
  /** @param {LogLevel} of */
  const isShown = (of) => LEVELS.indexOf(of) >= LEVELS.indexOf(level);
  return {
    step: (name, { expectedMs } = {}) => screen.begin(name, { expectedMs, quiet: !isShown('info') }),
    debug: (text) => isShown('debug') && screen.print(screen.paint('90', text)),
    info: (text) => isShown('info') && screen.print(text),
    warn: (text) => isShown('warn') && screen.print(`${screen.paint('33', '!')} ${text}`),
    error: (text) => screen.print(`${screen.paint('31', '✗')} ${text}`),
  };
}

/** @param {import('node:tty').WriteStream | NodeJS.WritableStream} stream */
function createScreen(stream) {
  const terminal = 'isTTY' in stream && stream.isTTY ? stream : undefined;
  const hasColors = terminal?.hasColors() ?? false;
  /** @type {Set<RunningStep>} */
  const running = new Set();
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let frame = 0;

  /** @param {string} code @param {string} text */
  const paint = (code, text) => (hasColors ? `\u001b[${code}m${text}\u001b[39m` : text);

  const draw = () => {
    if (terminal === undefined) return speakUp();
    if (running.size === 0) return;
    const line = `${FRAMES[frame++ % FRAMES.length]} ${[...running].map(describe).join('  ·  ')}`;
    terminal.write(`\r\u001b[2K${line.slice(0, (terminal.columns || 80) - 1)}`);
  };
  const speakUp = () => {
    for (const step of running) {
      const now = performance.now();
      const dueMs = step.announced ? SPEAK_EVERY_MS : ANNOUNCE_AFTER_MS;
      if (now - step.spokeMs < dueMs) continue;
      step.announced = true;
      step.spokeMs = now;
      stream.write(`… ${describe(step)}\n`);
    }
  };
  /** @param {string} text */
  const print = (text) => {
    if (terminal !== undefined && running.size > 0) terminal.write('\r\u001b[2K');
    stream.write(`${text}\n`);
    if (terminal !== undefined) draw();
  };

  /** @param {string} name @param {{ expectedMs?: number, quiet: boolean }} options @returns {Step} */
  const begin = (name, { expectedMs, quiet }) => {
    const startMs = performance.now();
    const step = { name, detail: '', startMs, expectedMs, spokeMs: startMs, announced: false };
    let isOver = false;
    if (!quiet) running.add(step);
    timer ??= setInterval(draw, 150).unref();
    /** @param {string} mark @param {string} detail @param {boolean} isShown */
    const end = (mark, detail, isShown) => {
      if (isOver) return;
      isOver = true;
      running.delete(step);
      if (running.size === 0) {
        clearInterval(timer);
        timer = undefined;
        if (terminal !== undefined && !quiet) terminal.write('\r\u001b[2K');
      }
      const time = formatDuration(performance.now() - startMs);
      if (isShown) print(`${mark} ${name}${detail && ` · ${detail}`} ${paint('90', `(${time})`)}`);
    };
    return {
      update: (detail, { expectedMs: better } = {}) => {
        step.detail = detail;
        step.expectedMs = better ?? step.expectedMs;
      },
      done: (detail = '') => end(paint('32', '✓'), detail, !quiet),
      fail: (detail = '') => end(paint('31', '✗'), detail, true),
      skip: () => end('', '', false),
    };
  };
  screens.add(() => {
    if (terminal !== undefined && running.size > 0) terminal.write('\r\u001b[2K');
    running.clear();
    clearInterval(timer);
    timer = undefined;
  });
  return { begin, paint, print };
}

/** @param {RunningStep} step */
function describe({ name, detail, startMs, expectedMs }) {
  const elapsedMs = performance.now() - startMs;
  const restMs = expectedMs === undefined ? 0 : expectedMs - elapsedMs;
  const rest = restMs > 1_000 ? `, about ${formatDuration(restMs)} left` : '';
  return `${name} ${formatDuration(elapsedMs)}${rest}${detail && ` · ${detail}`}`;
}

/**
 * @param {number} ms
 * @returns {string} such as `0.4 s`, `12 s`, `2 min 40 s`
 */
export function formatDuration(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
