import type { Client } from '@temporalio/client';
import type { Run, StartInput } from '../pipelines/contracts/run.ts';
import type { Repositories } from '../store/postgres/repositories.ts';

/** What the operations work with; joined in `scripts/`. */
export interface ServiceContext {
  repositories: Pick<Repositories, 'runs' | 'publications'>;
  /** As activities have them: the first that has a name is the one that is meant. */
  definitionFolders: readonly string[];
  /** What a run that is going on was asked for, decrypted. */
  inputOf(client: Client, execution: Run['workflow']): Promise<StartInput>;
}
