import { describe, expect, test } from 'vitest';
import { fatesBetween, traceLine } from '../../../../pipelines/stages/evolution/lineage-line.ts';

/** `b<a` is segment b with the parent a. */
function line(...steps: string[]) {
  return traceLine(
    steps.map((step) => ({
      segments: step.split(' ').map((text) => {
        const [segmentId, parents = ''] = text.split('<');
        return { segmentId: segmentId!, parents: parents.split(',').filter(Boolean) };
      }),
    })),
  );
}

describe('traceLine', () => {
  test('knows who came out of whom, who went into whom, who was born and who retired', () => {
    const { lives, edges } = line('a b c', 'a<a d<b e<b c<c', 'a<a,d e<e f', 'a<a f<f');
    expect(edges).toEqual([
      { at: 1, from: 'b', to: 'd', kind: 'split' },
      { at: 1, from: 'b', to: 'e', kind: 'split' },
      { at: 2, from: 'd', to: 'a', kind: 'merged' },
    ]);
    const told = lives.map(({ segmentId, places, isBorn, isRetired }) => [
      segmentId,
      places,
      isBorn,
      isRetired,
    ]);
    expect(told).toEqual([
      ['a', [0, 1, 2, 3], false, false],
      ['b', [0], false, false],
      ['c', [0, 1], false, true],
      ['d', [1], false, false],
      ['e', [1, 2], false, true],
      ['f', [2, 3], true, false],
    ]);
  });

  test('a model that is published again tells of no second split', () => {
    expect(line('a', 'a<a b<a', 'a<a b<a').edges).toHaveLength(1);
  });

  test('parents of before the line begins are not told', () => {
    expect(line('b<a', 'b<b').edges).toEqual([]);
  });
});

describe('fatesBetween', () => {
  const fates = (before: string, after: string, edges: { from: string; to: string }[] = []) =>
    fatesBetween(before.split(' '), after.split(' '), edges).map(
      ({ segmentId, became, from, into }) => `${segmentId} ${became} ${from.join()}>${into.join()}`,
    );

  test('one that is in both goes on, whatever lies between', () => {
    expect(fates('a b', 'b a')).toEqual(['b survived >', 'a survived >']);
  });

  test('follows splits of splits over publications that are in neither', () => {
    const edges = [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'b', to: 'd' },
    ];
    expect(fates('a', 'c d e', edges)).toEqual(['c split a>', 'd split a>', 'e born >', 'a gone >c,d']);
  });

  test('one that went into another is gone into it, and the other has taken it in', () => {
    const edges = [{ from: 'b', to: 'a' }];
    expect(fates('a b', 'a', edges)).toEqual(['a merged b>', 'b gone >a']);
  });

  test('a new one of two that are there still has merged of both, and takes neither away', () => {
    const edges = [
      { from: 'a', to: 'c' },
      { from: 'b', to: 'c' },
    ];
    expect(fates('a b', 'a b c', edges)).toEqual(['a survived >', 'b survived >', 'c merged a,b>']);
  });

  test('edges in a circle end', () => {
    expect(
      fates('a', 'c', [
        { from: 'a', to: 'b' },
        { from: 'b', to: 'a' },
      ]),
    ).toEqual(['c born >', 'a gone >']);
  });
});
