import { PipelineError } from './errors.ts';
import { shortened } from './inbox.ts';
import type { Run } from './run.ts';
import { checkPerson, checkReason, checkSegmentName } from './segment-name.ts';
import { isOneLine } from './sent-text.ts';
import { unreadableIn } from './unreadable.ts';

/** A person's wish, as the update `renameSegment` takes it. */
export interface RenameRequest {
  /** Its id, or its present name. */
  segment: string;
  name: string;
  because: string;
  /** Who decides: Temporal does not tell a workflow who sent an update. */
  by: string;
  /** Version of the name that the person saw; without it the present one is replaced, whichever it is. */
  seen?: number;
}

/** A name that a person put in force. */
export interface Renamed {
  segmentId: string;
  pipeline: string;
  name: string;
  version: number;
  by: string;
  because: string;
  /** ISO with time. */
  since: string;
  previousName: string | null;
}

/** A wish that can be tried again: it says which name it replaces, and no other. */
export interface SeenRename extends RenameRequest {
  /** Its id. */
  segment: string;
  seen: number;
}

/** Activities of people's decisions on names. */
export interface RenameStages {
  /** Which segment is meant, and which version of its name is replaced where the person did not say. */
  findRenamed(input: { run: Run; rename: RenameRequest }): Promise<SeenRename>;
  /** Puts the name in force for readers at once; it does not wait for the run. */
  renameSegment(input: { run: Run; rename: RenameRequest }): Promise<Renamed>;
}

/** As sent, spaces and all: what is accepted stays in the run's history. */
const TEXT_LENGTH = 1_000;
const FIELDS = ['segment', 'name', 'because', 'by'] as const;
const NEEDS =
  'renameSegment needs {"segment": "its id or present name", "name": "the new one", "because": "why", ' +
  '"by": "who decides"} and may have {"seen": version}';

/**
 * What was sent, with its texts as they are kept.
 *
 * @throws PipelineError INPUT_INVALID, NAME_REFUSED
 */
export function parseRename(sent: unknown): RenameRequest {
  const fault = faultOf(sent);
  if (fault) throw new PipelineError('INPUT_INVALID', `${NEEDS}, ${fault}`);
  const { segment, name, because, by, seen } = sent as RenameRequest;
  return {
    segment: segment.trim(),
    name: checkSegmentName(name),
    because: checkReason(because),
    by: checkPerson(by),
    ...(seen !== undefined && { seen }),
  };
}

function faultOf(sent: unknown): string | null {
  if (sent === null || typeof sent !== 'object' || Array.isArray(sent)) return 'found no object';
  const unreadable = unreadableIn(sent);
  if (unreadable !== null) return `found ${unreadable}`;
  const { seen, ...rest } = sent as Record<string, unknown>;
  const wrong = FIELDS.filter((field) => typeof rest[field] !== 'string');
  if (wrong.length > 0) return `found no text as ${wrong.join(', ')}`;
  if (FIELDS.some((field) => (rest[field] as string).length > TEXT_LENGTH))
    return `found a text of more than ${TEXT_LENGTH} characters`;
  const segment = (rest.segment as string).trim();
  if (segment === '') return 'found an empty segment';
  if (!isOneLine(segment)) return 'found a segment with characters that cannot be seen';
  const unknown = Object.keys(rest).filter((field) => !(FIELDS as readonly string[]).includes(field));
  if (unknown.length > 0) {
    const names = unknown.slice(0, 5).map((name) => shortened(name, 40));
    return `found unknown fields ${names.join(', ')}`;
  }
  const isVersion = seen === undefined || (Number.isSafeInteger(seen) && (seen as number) >= 1);
  return isVersion ? null : 'found a version seen that is no whole number from 1';
}
