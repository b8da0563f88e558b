import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  defineUpdate,
  patched,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import { ERRORS, isErrorCode, PipelineError } from '../pipelines/contracts/errors.ts';
import { IO } from '../pipelines/contracts/policies.ts';
import {
  parseRename,
  type Renamed,
  type RenameRequest,
  type RenameStages,
} from '../pipelines/contracts/rename.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { HANDLERS } from '../pipelines/contracts/signatures.ts';

/** A person waits for the answer: a database that stays away is told after a minute. */
const names = proxyActivities<RenameStages>({ ...IO, scheduleToCloseTimeout: '1 minute' });

/** Each is kept in the run's history, which stays small. */
const RENAMES_PER_RUN = 20;

export const renameSegmentUpdate = defineUpdate<Renamed, [RenameRequest?]>(HANDLERS.renameSegment);

export interface Renames {
  /** Until then there is no pipeline whose segments could be meant. */
  opened(run: Run): void;
  /** Waits until all that were taken have their answer. */
  answered(): Promise<void>;
}

/**
 * From here on the run answers to the update `renameSegment`. The name is in force for readers at once, whatever the
 * run comes to: it is sent here because this is where a person looks at segments.
 */
export function acceptRenames(): Renames {
  let run: Run | null = null;
  let taken = 0;
  setHandler(
    renameSegmentUpdate,
    async (sent?: RenameRequest) => {
      taken += 1;
      try {
        // What a person has decided is done also when the run is cancelled meanwhile. It was checked when it was taken,
        // and is not here: a replay does not ask the validator, and words may be refused by then that were not.
        return await CancellationScope.nonCancellable(() => rename(run!, sent!));
      } catch (error) {
        throw readable(error);
      }
    },
    {
      description:
        'Name a published segment: {"segment": "its id or present name", "name": "the new one", "because": "why", "by": "who decides"}',
      validator(sent?: RenameRequest) {
        refuseMalformed(sent);
        if (run === null) refuse('renameSegment needs a run that is open, this one opens yet; send it again');
        if (taken >= RENAMES_PER_RUN) {
          refuse(
            `renameSegment is taken ${RENAMES_PER_RUN} times by one run, and was; ` +
              'go on with npm run strata -- names set',
          );
        }
      },
    },
  );
  return {
    opened(found) {
      run = found;
    },
    answered: () => CancellationScope.nonCancellable(() => condition(allHandlersFinished)),
  };
}

async function rename(run: Run, sent: RenameRequest): Promise<Renamed> {
  const seen = patched('renames-what-was-seen')
    ? await names.findRenamed.executeWithOptions({ summary: 'which name is replaced' }, [
        { run, rename: sent },
      ])
    : sent;
  return names.renameSegment.executeWithOptions({ summary: 'a person names a segment' }, [
    { run, rename: seen },
  ]);
}

function refuseMalformed(sent: unknown): void {
  try {
    parseRename(sent);
  } catch (error) {
    if (error instanceof PipelineError) throw ApplicationFailure.nonRetryable(error.message, error.code);
    throw error;
  }
}

function refuse(message: string): never {
  throw ApplicationFailure.nonRetryable(message, 'INPUT_INVALID');
}

/** The words of the refusal itself: who renamed since, who has the name. It fails the update, never the run. */
function readable(error: unknown): ApplicationFailure {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const message = cause instanceof Error ? cause.message : 'failed without a message';
  const type = cause instanceof ApplicationFailure ? cause.type : null;
  return ApplicationFailure.nonRetryable(isFinal(cause) ? message : gaveUp(message), type);
}

/** Whether a failure says what became of the name; one that was tried again until the time was over does not. */
function isFinal(cause: unknown): boolean {
  if (!(cause instanceof ApplicationFailure)) return false;
  return isErrorCode(cause.type) ? !ERRORS[cause.type].retry : cause.nonRetryable === true;
}

function gaveUp(message: string): string {
  const found = message.replace(/; it is tried again$/, '');
  return (
    `a name needs to be given within a minute, found: ${found}; nobody tries any longer, and it may be in force ` +
    'all the same: npm run strata -- names list shows it, if not send it again'
  );
}
