import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  ATTRIBUTE_TYPES,
  CANONICAL_COLUMNS,
  OPTIONAL_COLUMNS,
  sourceSchema,
} from '../pipelines/contracts/source.ts';
import { PROJECT_FOLDER } from '../scripts/config.ts';

const page = readFileSync(join(PROJECT_FOLDER, 'docs/sources.md'), 'utf8');
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);

describe('docs/sources.md', () => {
  test.each(blocks)('shows a source that a definition may have: %s', (text) => {
    expect(sourceSchema.safeParse(parse(text))).toMatchObject({ success: true });
  });

  test('shows each kind that reads something, and a second table', () => {
    const kinds = blocks.map((text) => parse(text).kind);
    expect(new Set(kinds)).toEqual(new Set(['file', 'postgres']));
    expect(blocks.some((text) => parse(text).customers !== undefined)).toBe(true);
  });

  test('names every role, every field of a format and every type of an attribute', () => {
    const roles = [...Object.keys({ ...CANONICAL_COLUMNS, ...OPTIONAL_COLUMNS }), 'amount'];
    const format = ['encoding', 'delimiter', 'times', 'decimal', 'missing', 'timezone'];
    for (const name of [...roles, ...format, ...Object.keys(ATTRIBUTE_TYPES)])
      expect(page, name).toContain(`\`${name}\``);
  });
});
