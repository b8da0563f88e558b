import { howFar } from './estimate.ts';
import { howLong, moment } from './moments.ts';
import type { RunView } from './view.ts';

const SPEAK_EVERY_MS = 60_000;

/** Where no terminal is: a line for each stage that has ended, for what the run waits for, and for each failed attempt. */
export function createTeller(print: (line: string) => void) {
  const told = new Set<string>();
  let spokeAtMs: number | null = null;
  const once = (key: string, line: string) => {
    if (told.has(key)) return;
    told.add(key);
    print(line);
  };
  return {
    tell(view: RunView, nowMs: number): void {
      for (const { stage, state, ms, says, attempts } of view.stages) {
        if (state !== 'done') continue;
        const again = attempts > 1 ? `, attempt ${attempts}` : '';
        once(`stage ${stage}`, `✓ ${stage}${says ? ` · ${says}` : ''} (${howLong(ms ?? 0)}${again})`);
      }
      for (const { says, until, commands } of view.waits) {
        const limit = until === null ? '' : `, until ${moment(until)}`;
        once(`wait ${says}`, `⏸ ${says}${limit}${commands.length > 0 ? `: ${commands.join(' or ')}` : ''}`);
      }
      for (const { what, attempt, fault } of view.retries)
        once(`retry ${what} ${attempt}`, `! ${what} failed, attempt ${attempt} follows: ${fault}`);
      for (const note of view.notes) once(`note ${note}`, `! ${note}`);
      speakUp(view, nowMs);
    },
  };

  /** A stage of many minutes says now and then that it is not dead. */
  function speakUp({ now, leftMs }: RunView, nowMs: number): void {
    spokeAtMs ??= nowMs;
    if (now === null || nowMs - spokeAtMs < SPEAK_EVERY_MS) return;
    spokeAtMs = nowMs;
    const far = now.of > 0 ? `, ${howFar(now)}` : '';
    const left = leftMs === null ? '' : `, about ${howLong(leftMs)} left for all`;
    print(`… ${now.stage} ${howLong(now.elapsedMs)}${far}${left}`);
  }
}
