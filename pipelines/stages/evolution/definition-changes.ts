import type { Definition, NamingSettings } from '../../contracts/definition.ts';
import { formatNumber } from '../figures.ts';

/** What is defined otherwise in the later run. */
export interface DefinitionChange {
  what: string;
  /** Whether figures on both sides mean another thing, or the model was asked another question. */
  isDoubtful: boolean;
}

type Compared = Pick<
  Definition,
  'version' | 'currency' | 'features' | 'clustering' | 'naming' | 'stability' | 'source'
>;

/** What a comparison of two runs has to say first: each change of what they were made by, doubtful ones first. */
export function compareDefinitions(before: Compared, after: Compared): DefinitionChange[] {
  const changes = [
    ...currencyChanges(before, after),
    ...featureChanges(before, after),
    ...clusterChanges(before, after),
    ...spendChanges(before, after),
    ...bandChanges(before.naming, after.naming),
    ...otherChanges(before, after),
  ];
  const byDoubt = (isDoubtful: boolean) => changes.filter((change) => change.isDoubtful === isDoubtful);
  return [...byDoubt(true), ...byDoubt(false)];
}

const doubt = (what: string): DefinitionChange => ({ what, isDoubtful: true });
const note = (what: string): DefinitionChange => ({ what, isDoubtful: false });

function currencyChanges(before: Compared, after: Compared): DefinitionChange[] {
  return before.currency === after.currency
    ? []
    : [doubt(`money is counted in ${after.currency}, before in ${before.currency}`)];
}

/** Of what customers are clustered or named by, a change is doubtful; of the others worth a note. */
function featureChanges(before: Compared, after: Compared): DefinitionChange[] {
  const [was, is] = [madeOf(before), madeOf(after)];
  const names = [...new Set([...was.keys(), ...is.keys()])];
  return names.flatMap((name) => {
    const [then, now] = [was.get(name), is.get(name)];
    if (then === now) return [];
    const what =
      then === undefined
        ? `feature ${name} is new`
        : now === undefined
          ? `feature ${name} is no longer computed`
          : `feature ${name} is computed in another way`;
    const matters =
      then !== undefined && now !== undefined ? true : isUsed(name, before) || isUsed(name, after);
    return [matters ? doubt(what) : note(what)];
  });
}

function madeOf({ features: { aggregate, derive } }: Compared): Map<string, string> {
  return new Map([
    ...aggregate.map(({ name, unit, sql, over, whenMissing }): [string, string] => [
      name,
      JSON.stringify([unit, sql, over ?? 'lines', whenMissing ?? 0]),
    ]),
    ...derive.map(({ name, unit, expression, whenMissing }): [string, string] => [
      name,
      JSON.stringify([unit, expression, whenMissing ?? 0]),
    ]),
  ]);
}

function isUsed(name: string, { features, naming }: Compared): boolean {
  const named = [naming.stage.feature, naming.value.feature, naming.spend];
  return features.cluster.some(({ feature }) => feature === name) || named.includes(name);
}

function clusterChanges(before: Compared, after: Compared): DefinitionChange[] {
  const [was, is] = [before, after].map(({ features }) =>
    features.cluster.map(({ feature, transforms }) => `${feature} (${transforms.join(', ')})`),
  ) as [string[], string[]];
  const found: DefinitionChange[] = [];
  if (was.join() !== is.join())
    found.push(doubt(`customers are told apart by ${is.join(', ')}, before by ${was.join(', ')}`));
  const [k, thenK] = [after.clustering.k, before.clustering.k];
  if (k.min !== thenK.min || k.max !== thenK.max)
    found.push(doubt(`${rangeOf(k)} segments may be chosen, before ${rangeOf(thenK)}`));
  const [sample, thenSample] = [after.clustering.coresetRows, before.clustering.coresetRows];
  if (sample !== thenSample)
    found.push(note(`centres are fitted on ${fittedOn(sample)}, before on ${fittedOn(thenSample)}`));
  return found;
}

function fittedOn(coresetRows: number | undefined): string {
  return coresetRows === undefined ? 'all customers' : `a sample of ${formatNumber(coresetRows)} at most`;
}

function rangeOf({ min, max }: { min: number; max: number }): string {
  return min === max ? `${min}` : `${min} to ${max}`;
}

function spendChanges({ naming: was }: Compared, { naming: is }: Compared): DefinitionChange[] {
  if (was.spend === is.spend) return [];
  return [doubt(`money is ${is.spend ?? 'not counted'}, before ${was.spend ?? 'not counted'}`)];
}

function bandChanges(was: NamingSettings, is: NamingSettings): DefinitionChange[] {
  const same = (left: unknown, right: unknown) => JSON.stringify(left) === JSON.stringify(right);
  const lists = [
    ['lifecycle', was.stage, is.stage],
    ['value', was.value, is.value],
  ] as const;
  const found = lists.flatMap(([what, then, now]) =>
    same(then, now) ? [] : [doubt(`the ${what} bands that names are made of are others`)],
  );
  return same(was.traits, is.traits) ? found : [...found, note('the traits that names may use are others')];
}

function otherChanges(before: Compared, after: Compared): DefinitionChange[] {
  const found: DefinitionChange[] = [];
  if (JSON.stringify(before.source) !== JSON.stringify(after.source))
    found.push(doubt('rows come from another source, or from other columns of it'));
  if (JSON.stringify(before.stability) !== JSON.stringify(after.stability))
    found.push(note('the limits of the stability verdict are others'));
  if (before.version !== after.version)
    found.push(note(`the definition is version ${after.version}, before ${before.version}`));
  return found;
}
