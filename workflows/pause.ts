import { ApplicationFailure, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { shortened } from '../pipelines/contracts/inbox.ts';
import type { Stage } from '../pipelines/contracts/run.ts';
import { keptText } from '../pipelines/contracts/sent-text.ts';
import { HANDLERS, type PauseRequest } from '../pipelines/contracts/signatures.ts';
import { unreadableIn } from '../pipelines/contracts/unreadable.ts';
import type { RunBoard } from './run-board.ts';

const REASON_LENGTH = 500;
const NAME_LENGTH = 40;
/** Each is kept in the run's history, which stays small. */
const PAUSES_PER_RUN = 20;
/** Publishing and telling of it are one step, which nobody can stop half-way. */
const AFTER_PUBLISHING: Stage = 'notify';

export const pauseUpdate = defineUpdate<string, [PauseRequest?]>(HANDLERS.pause);
export const resumeUpdate = defineUpdate<string, [PauseRequest?]>(HANDLERS.resume);

export interface Pauses {
  /**
   * Asked before each stage, and waited for only then: a run that nobody pauses decides in the order in which it
   * did before there were pauses.
   */
  stops(before: Stage): boolean;
  /** Waits until the run is resumed, or cancelled. */
  resumed(before: Stage): Promise<void>;
  /** From here on a pause comes too late. */
  over(): void;
}

/** From here on the run answers to `pause` and `resume`: a paused one ends the stage that is going on, and begins none. */
export function acceptPauses(board: RunBoard, stages: readonly Stage[]): Pauses {
  const { progress } = board;
  let isOver = false;
  let taken = 0;
  setHandler(
    pauseUpdate,
    (sent?: PauseRequest) => {
      taken += 1;
      const { because, before } = sent ?? {};
      board.paused({
        because: because ? keptText(because, REASON_LENGTH) : null,
        before: before ?? null,
        standsBefore: null,
      });
      const { stage } = progress;
      if (before) return `the run stops before ${before} until it is resumed`;
      return `the run ${stage ? `ends ${stage} and then ` : ''}begins no stage until it is resumed`;
    },
    {
      description:
        'Stop before the next stage, once the one that is going on is ended; nothing, or {"before": "a later stage", "because": "why"}',
      validator(sent?: PauseRequest) {
        refuseMalformed('pause', sent, ['before', 'because']);
        refuseUnlessGoingOn(board, isOver);
        if (progress.paused)
          refuse('pause needs a run that is not paused, this one is; resume makes it go on');
        refuseUnlessToCome(sent?.before, board, stages);
        if (taken >= PAUSES_PER_RUN)
          refuse(`pause is taken ${PAUSES_PER_RUN} times by one run, and was; it can be cancelled`);
      },
    },
  );
  setHandler(
    resumeUpdate,
    () => {
      const stood = progress.paused?.standsBefore;
      board.paused(null);
      return stood ? `the run goes on with ${stood}` : 'the run goes on';
    },
    {
      description: 'Let a paused run go on; nothing, or {"because": "why"}',
      validator(sent?: PauseRequest) {
        refuseMalformed('resume', sent, ['because']);
        if (!progress.paused) refuse(`resume needs a run that is paused, this one is ${stateOf(board)}`);
      },
    },
  );
  return {
    stops: (before) => !!progress.paused && (progress.paused.before ?? before) === before,
    async resumed(before) {
      board.paused({ ...progress.paused!, standsBefore: before });
      await condition(() => !progress.paused);
    },
    over() {
      isOver = true;
      if (progress.paused && progress.outcome === 'running') board.paused(null);
    },
  };
}

function refuseUnlessGoingOn(board: RunBoard, isOver: boolean): void {
  const { outcome } = board.progress;
  const needs = 'pause needs a run that is going on';
  if (outcome === 'held') refuse(`${needs}, this one is held and does nothing until it is reviewed`);
  if (outcome !== 'running') refuse(`${needs}, this one is ${outcome}`);
  if (isOver) refuse(`${needs}, this one is ${stateOf(board)}: from here on it is too late`);
}

function refuseUnlessToCome(
  before: Stage | undefined,
  { progress: { done, stage } }: RunBoard,
  stages: readonly Stage[],
): void {
  if (before === undefined) return;
  const isBegun = (one: Stage) => one === stage || done.some((report) => report.stage === one);
  const toCome = stages.filter((one) => one !== AFTER_PUBLISHING && !isBegun(one));
  if (!toCome.includes(before))
    refuse(`pause needs a stage that is to come, one of ${toCome.join(', ')}; found ${quoted(before)}`);
}

function stateOf({ progress: { outcome, stage } }: RunBoard): string {
  if (outcome !== 'running') return outcome;
  return stage === null ? 'between two stages' : `in stage ${stage}`;
}

function refuseMalformed(name: string, sent: unknown, fields: readonly string[]): void {
  const fault = faultOf(sent, fields);
  const example = fields.map((field) => `"${field}": "…"`).join(', ');
  if (fault) refuse(`${name} needs nothing, or {${example}} with any of these; ${fault}`);
}

function faultOf(sent: unknown, fields: readonly string[]): string | null {
  if (sent === undefined || sent === null) return null;
  if (typeof sent !== 'object' || Array.isArray(sent)) return 'found no object';
  const unreadable = unreadableIn(sent);
  if (unreadable !== null) return `found ${unreadable}`;
  const unknown = Object.keys(sent).filter((field) => !fields.includes(field));
  if (unknown.length > 0) {
    const told = unknown.slice(0, 5).map((field) => shortened(field, NAME_LENGTH));
    return `found unknown fields ${told.join(', ')}`;
  }
  const wrong = Object.entries(sent).find(([, value]) => typeof value !== 'string');
  return wrong ? `found a "${wrong[0]}" that is no text` : null;
}

function quoted(text: string): string {
  return JSON.stringify(shortened(text, NAME_LENGTH));
}

function refuse(message: string): never {
  throw ApplicationFailure.nonRetryable(message, 'PAUSE_REFUSED');
}
