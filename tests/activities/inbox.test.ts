import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createInboxActivities } from '../../activities/inbox.ts';
import { DEFAULT_INBOX } from '../../pipelines/contracts/inbox-settings.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';

// How a run's end is waited for is tested where there are runs: tests/workflows/pipeline-inbox-for-ever.test.ts.

const { readInbox } = createInboxActivities({
  definitionFolders: [join(PROJECT_FOLDER, 'pipelines/definitions')],
});

describe('readInbox', () => {
  test('of a definition without the section the settings that stand for it, however often', async () => {
    for (let i = 0; i < 2; i++)
      expect(await readInbox({ pipeline: 'shop' })).toEqual({ settings: DEFAULT_INBOX });
  });

  test('of a name that no definition has it tells those that there are', () =>
    expect(readInbox({ pipeline: 'shopp' })).rejects.toMatchObject({
      ...{ code: 'PIPELINE_UNKNOWN', message: expect.stringContaining('there are online-retail, shop') },
    }));
});
