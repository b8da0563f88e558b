import { AsyncLocalStorage } from 'node:async_hooks';

/** Which activity a line of the log was written in. */
export interface ActivityScope {
  run: string | null;
  pipeline: string | null;
  stage: string | null;
  workflow: string;
  activity: string;
  queue: string;
  attempt: number;
  /** Of its span, where traces are told. */
  trace_id?: string;
  span_id?: string;
}

const storage = new AsyncLocalStorage<ActivityScope>();

export const withinActivity = <R>(scope: ActivityScope, work: () => Promise<R>): Promise<R> =>
  storage.run(scope, work);

export const currentActivity = (): ActivityScope | undefined => storage.getStore();
