import { userInfo } from 'node:os';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { checkPerson } from '../pipelines/contracts/segment-name.ts';

/**
 * Who decides: as an option says, else the user of the system.
 *
 * @throws PipelineError INPUT_INVALID when neither tells a name
 */
export function personOf(option: string, given: string | undefined): string {
  if (given !== undefined) return checkPerson(given);
  try {
    return userInfo().username;
  } catch (cause) {
    const message = `a decision needs who takes it, the system has no name for this user: add ${option} NAME`;
    throw new PipelineError('INPUT_INVALID', message, {}, { cause });
  }
}
