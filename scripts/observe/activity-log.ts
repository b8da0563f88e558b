import { type About, formatDuration } from '../set-up/log.mjs';
import type { ActivityEnded } from './activity-ended.ts';

export interface Line {
  level: 'debug' | 'info' | 'warn';
  message: string;
  about: About;
}

/** The line about an attempt: of stages, of what failed and of how a run ended; all the rest is for `debug`. */
export function lineAbout(ended: ActivityEnded): Line {
  const { activity, attempt, stage, isPart, run, seconds, failure, outcome, work } = ended;
  const what = `${isPart ? `a part of ${stage}` : (stage ?? activity)}${run ? ` of ${run.runId}` : ''}`;
  if (failure?.code === 'CANCELLED')
    return { level: 'debug', message: `${what} was cancelled`, about: { code: failure.code } };
  if (failure) {
    const why = failure.message === null ? '' : `: ${failure.message}`;
    const message = `${what} failed in attempt ${attempt}${why} (${failure.code})`;
    return { level: 'warn', message, about: { code: failure.code, seconds } };
  }
  if (outcome)
    return { level: 'info', message: `${run?.runId ?? 'a run'} ended ${outcome}`, about: { outcome } };
  if (stage === null) return { level: 'debug', message: what, about: { seconds } };
  if (isPart)
    return {
      level: 'info',
      message: `${what} done in ${formatDuration(seconds * 1_000)}`,
      about: { seconds },
    };
  if (work === null) return { level: 'info', message: `${what} had been done before`, about: { seconds } };
  const message = `${what} done in ${formatDuration(work.seconds * 1_000)}`;
  return { level: 'info', message, about: { seconds: work.seconds, rows: work.rows } };
}
