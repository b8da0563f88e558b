import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERRORS, isErrorCode, PipelineError } from '../../../pipelines/contracts/errors.ts';

interface DocumentedError {
  code: string;
  means: string;
  retry: boolean;
  http: number;
  exit: number;
  wayOut: string;
}

const documented = readTable(new URL('../../../docs/errors.md', import.meta.url));

function readTable(path: URL): DocumentedError[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [code, means, retry, http, exit, wayOut] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return {
        code: code!.replaceAll('`', ''),
        means: means!,
        retry: retry === 'yes',
        http: Number(http),
        exit: Number(exit),
        wayOut: wayOut!,
      };
    });
}

describe('the catalogue of errors', () => {
  test('docs/errors.md has exactly the codes of the catalogue, in its order', () => {
    expect(documented.map(({ code }) => code)).toEqual(Object.keys(ERRORS));
  });

  test.each(documented)('$code is documented as it behaves', ({ code, retry, http, exit }) => {
    expect({ retry, http, exit }).toEqual(ERRORS[code as keyof typeof ERRORS]);
  });

  test.each(documented)('$code says what it means and what to do', ({ means, wayOut }) => {
    expect(means.length).toBeGreaterThan(10);
    expect(wayOut.length).toBeGreaterThan(10);
  });
});

describe('PipelineError', () => {
  test('keeps its code, its details and its cause', () => {
    const cause = new Error('disk');
    const error = new PipelineError('ARTIFACT_DISK_FULL', 'needs 3 bytes, found 0', { bytes: 3 }, { cause });
    expect(error).toMatchObject({
      name: 'PipelineError',
      code: 'ARTIFACT_DISK_FULL',
      details: { bytes: 3 },
      cause,
    });
  });

  test('only codes of the catalogue are codes', () => {
    expect(isErrorCode('RUN_UNKNOWN')).toBe(true);
    expect(isErrorCode('toString')).toBe(false);
    expect(isErrorCode(undefined)).toBe(false);
  });
});
