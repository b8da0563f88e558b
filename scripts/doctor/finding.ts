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
  look(): Promise<Omit<Finding, 'area'>[]>;
}

/** What a probe finds; that it breaks, or does not come back, is a finding, too. */
export async function findingsOf({ area, wayOut, look }: Probe, withinMs: number): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Omit<Finding, 'area'>[]>((resolve) => {
    const says = `no answer within ${withinMs / 1_000} s`;
    timer = setTimeout(() => resolve([{ state: 'broken', says, wayOut }]), withinMs);
  });
  try {
    const found = await Promise.race([look(), late]);
    return found.map((finding) => ({ area, ...finding }));
  } catch (fault) {
    return [{ area, state: 'broken', says: firstLine(fault), wayOut }];
  } finally {
    clearTimeout(timer);
  }
}
