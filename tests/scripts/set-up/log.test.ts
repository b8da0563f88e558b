import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { clearSteps, createLog } from '../../../scripts/set-up/log.mjs';

test('before an error is printed the line of running steps is empty, and stays so', async () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, hasColors: () => false, columns: 80 });
  const log = createLog({ stream });
  log.step('Waiting');
  await expect.poll(() => String(stream.read() ?? '')).toContain('Waiting');
  clearSteps();
  expect(String(stream.read() ?? '').endsWith('\r\u001b[2K')).toBe(true);
  await new Promise((done) => setTimeout(done, 400));
  expect(stream.read()).toBeNull();
});
