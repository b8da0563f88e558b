import type { ClientOptions } from '@temporalio/client';
import type { Config } from '../config.ts';

/** For a client that starts workflows: of its options, what traces need. */
export async function startsTraced({
  traces,
}: Pick<Config, 'traces'>): Promise<Pick<ClientOptions, 'interceptors'>> {
  return traces ? { interceptors: (await import('./client.ts')).traceStarts() } : {};
}
