import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  completeDefinition,
  type Definition,
  parseDefinition,
} from '../../../pipelines/contracts/definition.ts';
import { championDefinition } from '../../../pipelines/stages/champion-definition.ts';

const folder = new URL('../../../pipelines/definitions/online-retail/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');
const present = parseDefinition('online-retail', {
  pipeline: read('pipeline.yaml'),
  contract: read('contract.yaml'),
});
/** As an artifact gives it back. */
const frozen = (change: object = {}): Definition => JSON.parse(JSON.stringify({ ...present, ...change }));
const adopt = (champion: Definition, now: Definition = present) =>
  championDefinition({ champion, present: now, fittedIn: 'run_1' });

test('a definition that has not changed is taken as it is, without a word', () => {
  expect(adopt(frozen())).toEqual({ definition: present, warnings: [] });
});

test('a definition that was frozen before a setting existed has its default', () => {
  const { refit: _, ...before } = frozen();
  expect(completeDefinition(before as Definition)).toEqual(present);
});

test('one that is none any more is refused with the way out', () => {
  expect(() => completeDefinition(frozen({ seed: 'one' }))).toThrow(
    expect.objectContaining({
      code: 'DEFINITION_INVALID',
      message: expect.stringMatching(/seed.*npm start -- --pipeline online-retail/),
    }),
  );
});

describe('what the present definition says otherwise', () => {
  test('of features, contract or names waits for a refit, and is told', () => {
    const features = { ...present.features, aggregate: present.features.aggregate.slice(1) };
    const { definition, warnings } = adopt(frozen(), { ...present, features });
    expect(definition.features).toEqual(present.features);
    expect(warnings).toEqual([
      "the definition's features changed since the model was fitted: those of run_1 count until a refit",
    ]);
  });

  test('of what is done with the result counts at once', () => {
    const stability = { ...present.stability, majorPsi: 0.9 };
    const refit = { ...present.refit, start: true };
    const { definition, warnings } = adopt(frozen(), { ...present, stability, refit });
    expect(definition).toMatchObject({ stability, refit });
    expect(warnings).toEqual([]);
  });

  test('of where the rows lie counts at once, and is told', () => {
    const source = { ...present.source, path: 'exports/*.parquet' } as Definition['source'];
    const { definition, warnings } = adopt(frozen(), { ...present, source });
    expect(definition.source).toEqual(source);
    expect(warnings).toEqual([expect.stringMatching(/differs from that of the model's run in path$/)]);
  });

  test('does not count where a column is missing that the features may need', () => {
    const { category: _, ...columns } = present.source.columns;
    const source = { ...present.source, columns } as Definition['source'];
    const { definition, warnings } = adopt(frozen(), { ...present, source });
    expect(definition.source).toEqual(present.source);
    expect(warnings).toEqual([expect.stringMatching(/lacks category/)]);
  });

  test('the days after the as-of date are not read: nothing is chosen by them', () => {
    const { definition } = adopt(frozen({ clustering: { ...present.clustering, laterPeriodDays: 30 } }));
    expect(definition.clustering).not.toHaveProperty('laterPeriodDays');
  });
});
