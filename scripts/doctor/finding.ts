import { firstLine } from '../error-text.ts';

/** `warning`: works, or will once something is started; `broken`: runs will fail until somebody mends it. */
export interface Finding {
  area: string;
  state: 'ok' | 'warning' | 'broken';
  says: string;
  /** What to do, a line each. */
  wayOut?: string[];
}

export interface Probe {
  area: string;
  /** What to do when it gives no answer. */
  wayOut: string[];
  /** @param takesLonger says that what comes now may take so long, from now on */
  look(takesLonger?: (withinMs: number) => void): Promise<Omit<Finding, 'area'>[]>;
}

/** What a probe finds; that it breaks, or does not come back, is a finding, too. */
export async function findingsOf({ area, wayOut, look }: Probe, withinMs: number): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  let within = (_limitMs: number) => {};
  const late = new Promise<Omit<Finding, 'area'>[]>((resolve) => {
    within = (limitMs) => {
      clearTimeout(timer);
      // A look that was given up may go on, and must not hold the process.
      if (isOver) return;
      const says = `no answer within ${limitMs / 1_000} s`;
      timer = setTimeout(() => resolve([{ state: 'broken', says, wayOut }]), limitMs);
    };
  });
  within(withinMs);
  try {
    const found = await Promise.race([look(within), late]);
    return found.map((finding) => ({ area, ...finding }));
  } catch (fault) {
    return [{ area, state: 'broken', says: firstLine(fault), wayOut }];
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
