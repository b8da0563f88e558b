import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { naming, namingFaults } from '../pipelines/contracts/naming-settings.ts';
import { bandWords, traitWords } from '../pipelines/stages/name-evidence.ts';
import { PROJECT_FOLDER } from '../scripts/config.ts';

const page = readFileSync(join(PROJECT_FOLDER, 'docs/naming.md'), 'utf8');
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);

describe('docs/naming.md', () => {
  test('shows vocabularies that a definition may have, in both languages', () => {
    const settings = blocks.map((text) => naming.parse(parse(text).naming));
    expect(settings.map(({ locale = 'en' }) => locale)).toEqual(['en', 'de']);
    for (const shown of settings) expect(namingFaults(shown)).toEqual([]);
  });

  test('tells the limits that words are given and kept by', () => {
    const figures = { x: { median: 0, mean: 0, difference: 1, lift: 2 } };
    const [trait] = traitWords([{ feature: 'x', high: 'x' }], { features: figures });
    const [difference, lift] = trait!.bounds;
    expect(page).toContain(
      `the mean is ${difference!.atLeast} standard deviations and a factor of ${lift!.atLeast} from`,
    );
    expect(page).toContain(`it is ${difference!.guard!.atLeast} and ${lift!.guard!.atLeast} from it`);
    const bands = [{ word: 'x', atLeast: 90, below: 180 }];
    const [bound] = bandWords({ feature: 'x', bands }, 'stage')[0]!.bounds;
    expect(page).toContain('a tenth of the border, or a quarter of the band');
    expect(bound!.guard).toEqual({ atLeast: 81, below: 198 });
  });
});
