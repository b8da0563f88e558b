import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEFAULT_INBOX, inboxSettings } from '../../../pipelines/contracts/inbox-settings.ts';
import { PROJECT_FOLDER } from '../../../scripts/config.ts';
import { listDefinitions, loadDefinition } from '../../../store/definitions.ts';

const FOLDER = join(PROJECT_FOLDER, 'pipelines/definitions');

describe('the section inbox', () => {
  test('left out it adds nothing to a definition, whose digest stays what it was', async () => {
    for (const name of await listDefinitions(FOLDER))
      expect(Object.keys((await loadDefinition(FOLDER, name)).definition)).not.toContain('inbox');
  });

  test('left out each message is enough for a refit, after ten seconds', () => {
    expect(DEFAULT_INBOX).toEqual({ inputs: [], deadlineMinutes: 1_440, settleSeconds: 10, run: 'refit' });
  });

  test('as the documents have it', () => {
    const inbox = {
      inputs: ['orders', 'customers'],
      extract: 'orders',
      deadlineMinutes: null,
      settleSeconds: 0,
    };
    expect(inboxSettings.parse({ ...inbox, run: 'assign' })).toEqual({ ...inbox, run: 'assign' });
  });

  test.each([
    ['an input twice', { inputs: ['orders', 'orders'] }],
    ['a name of another form', { inputs: ['Orders 1'] }],
    ['the transactions of no input', { inputs: ['orders'], extract: 'order' }],
    ['no deadline', { deadlineMinutes: 0 }],
    ['a window before now', { settleSeconds: -1 }],
    ['a kind that there is not', { run: 'fit' }],
    ['a field that there is not', { input: ['orders'] }],
  ])('with %s is refused', (_, inbox) => {
    expect(inboxSettings.safeParse(inbox).success).toBe(false);
  });
});
