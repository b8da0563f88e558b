import { Context } from '@temporalio/activity';

const HEARTBEAT_MS = 1_000;

/** What an activity says of itself with each heartbeat; `of` is 0 where nobody can tell. */
export interface Progress {
  stage: string;
  done: number;
  of: number;
}

/** Of the activities that beat at this moment: what they told last. */
const toldLast = new WeakMap<Context, { progress: Progress }>();

/**
 * Heartbeats at a steady pace until the work ends: Temporal notices a dead worker, and we a cancel. Work within work
 * changes what they tell, which stays so until the outermost ends.
 */
export async function beating<R>(progress: Progress, work: () => Promise<R>): Promise<R> {
  const activity = Context.current();
  const outer = toldLast.get(activity);
  if (outer) {
    outer.progress = progress;
    activity.heartbeat(progress);
    return work();
  }
  const told = { progress };
  toldLast.set(activity, told);
  activity.heartbeat(progress);
  const timer = setInterval(() => activity.heartbeat(told.progress), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    toldLast.delete(activity);
  }
}
