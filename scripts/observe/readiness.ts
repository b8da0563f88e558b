import { askOnce, NO_ANSWER } from './ask-once.ts';

/** Null: as it should be; else what is not, without an address or a credential. */
export type Check = () => Promise<string | null>;

export interface ReadinessReport {
  isReady: boolean;
  state: 'starting' | 'running' | 'draining';
  /** `ok`, or what is wrong. */
  checks: Record<string, string>;
}

export interface Readiness {
  /** All that is looked at from now on; the worker has begun. */
  watch(checks: Readonly<Record<string, Check>>): void;
  /** No new work any more; nothing is looked at. */
  drain(): void;
  report(): Promise<ReadinessReport>;
}

/** Whether a worker can take work. Whoever asks gives up soon after `withinMs`. */
export function createReadiness({ withinMs }: { withinMs: number }): Readiness {
  let state: ReadinessReport['state'] = 'starting';
  let asked: [name: string, ask: () => Promise<string>][] = [];
  return {
    watch(checks) {
      if (state === 'draining') return;
      state = 'running';
      asked = Object.entries(checks).map(([name, check]) => [name, inWords(check, withinMs)]);
    },
    drain() {
      state = 'draining';
      // What it closes on its way out has not broken.
      asked = [];
    },
    async report() {
      const entries = await Promise.all(asked.map(async ([name, ask]) => [name, await ask()] as const));
      const isReady = state === 'running' && entries.every(([, found]) => found === 'ok');
      return { isReady, state, checks: Object.fromEntries(entries) };
    },
  };
}

function inWords(check: Check, withinMs: number): () => Promise<string> {
  const ask = askOnce(() => check().catch(reasonOf), withinMs);
  return async () => {
    const found = await ask();
    return found === NO_ANSWER ? `no answer within ${withinMs / 1_000} s` : (found ?? 'ok');
  };
}

/** A driver's message may quote an address with its user: its code says enough. */
function reasonOf(fault: unknown): string {
  const { code } = fault as { code?: string | number };
  return code === undefined ? 'does not answer' : `does not answer (${code})`;
}
