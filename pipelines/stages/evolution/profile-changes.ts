import { type FigureFormat, featureLabel, formatFigure, formatNumber, formatShare } from '../figures.ts';
import type { FeatureFigures, PopulationFigures, Profiles } from '../segment-profile.ts';

// How the figures of customers changed between two publications, in words with numbers. A change is told when it is
// large enough to matter and larger than so few customers give by chance; the strongest come first.

/** In standard deviations of all customers before; below it nobody would notice. */
const LEAST_SHIFT = 0.1;
/** Of the figure itself. */
const LEAST_RELATIVE = 0.05;
/** Standard errors that a shift has to exceed; the same customers are on both sides, so that this is strict. */
const LEAST_ERRORS = 2;
const TOLD = 3;

export interface FeatureChange {
  feature: string;
  /** What the figures are: of the segment's customers. */
  statistic: 'median' | 'mean';
  before: number;
  after: number;
  /** after / before - 1; null where before is 0. */
  relative: number | null;
  /**
   * Change of the mean in standard deviations of all customers before, on the scale the feature is compared on; the
   * logarithm of the ratio of the means where that scale is another one now.
   */
  shift: number;
  /** Whether segments are made of it. */
  isClustered: boolean;
  /** `order 20 % less often (4.1 -> 3.3)` */
  words: string;
}

export interface ChangeWords {
  format: FigureFormat;
  /** The feature that is money, and the one that is the time of silence, of the later definition. */
  spend: string | undefined;
  silence: string | undefined;
  /** What customers are clustered by. */
  clustered: readonly string[];
}

interface Side {
  customers: number;
  features: Readonly<Record<string, Pick<FeatureFigures, 'median' | 'mean'>>>;
  /** Mean on the scale of the feature's population. */
  scaled: (feature: string) => number;
  all: Readonly<Record<string, PopulationFigures>>;
}

/** Of all customers of two publications. */
export function changesOfAll(before: Profiles, after: Profiles, words: ChangeWords): FeatureChange[] {
  const sideOf = ({ customers, all }: Profiles): Side => ({
    ...{ customers, all, features: all },
    scaled: (feature) => all[feature]!.center,
  });
  return changesBetween(sideOf(before), sideOf(after), words);
}

/** Of the customers of one segment; `before` and `after` are its clusters in each. */
export function changesOfSegment(
  [before, cluster]: readonly [Profiles, number],
  [after, clusterNow]: readonly [Profiles, number],
  words: ChangeWords,
): FeatureChange[] {
  const sideOf = ({ all, segments }: Profiles, at: number): Side => {
    const { customers, features } = segments[at]!;
    const scaled = (feature: string) =>
      features[feature]!.difference * all[feature]!.deviation + all[feature]!.center;
    return { customers, all, features, scaled };
  };
  return changesBetween(sideOf(before, cluster), sideOf(after, clusterNow), words);
}

/**
 * All changes worth telling: of what segments are made of, then of the rest, strongest first. Features that read alike
 * (`spend`, `spendCents`) are one.
 */
function changesBetween(before: Side, after: Side, words: ChangeWords): FeatureChange[] {
  const chance = LEAST_ERRORS * Math.sqrt(1 / before.customers + 1 / after.customers);
  const found = Object.keys(after.features)
    .filter((feature) => before.features[feature] !== undefined)
    .flatMap((feature) => changeOf(feature, { before, after, words }) ?? [])
    .filter(({ shift }) => Math.abs(shift) >= Math.max(LEAST_SHIFT, chance))
    .sort(
      (left, right) =>
        Number(right.isClustered) - Number(left.isClustered) ||
        Math.abs(right.shift) - Math.abs(left.shift) ||
        (left.feature < right.feature ? -1 : 1),
    );
  const told = new Set<string>();
  return found.filter(({ feature }) => {
    const label = featureLabel(feature);
    return told.has(label) ? false : told.add(label);
  });
}

function changeOf(
  feature: string,
  { before, after, words }: { before: Side; after: Side; words: ChangeWords },
): FeatureChange | null {
  const shift = shiftOf(feature, before, after);
  if (!Number.isFinite(shift) || shift === 0) return null;
  const [was, is] = [before.features[feature]!, after.features[feature]!];
  // The figure that went the way the customers went: a median may stand still, a mean may follow a few giants.
  const statistic = (['median', 'mean'] as const).find((one) => (is[one] - was[one]) * shift > 0);
  if (statistic === undefined) return null;
  const [then, now] = [was[statistic], is[statistic]];
  const relative = then === 0 ? null : now / then - 1;
  const isShare = words.format.units.get(feature) === 'share';
  if (relative !== null && !isShare && Math.abs(relative) < LEAST_RELATIVE) return null;
  const isClustered = words.clustered.includes(feature);
  const change = { feature, statistic, before: then, after: now, relative, shift, isClustered };
  return { ...change, words: sayChange(change, words) };
}

function shiftOf(feature: string, before: Side, after: Side): number {
  const [was, is] = [before.all[feature]!, after.all[feature]!];
  if (was.scale !== is.scale) return Math.log(after.features[feature]!.mean / before.features[feature]!.mean);
  return was.deviation === 0 ? 0 : (after.scaled(feature) - before.scaled(feature)) / was.deviation;
}

/** `have 20 % fewer orders (4.1 -> 3.3)`, of several customers. */
function sayChange(
  { feature, statistic, before, after, relative }: Omit<FeatureChange, 'words'>,
  { format, spend, silence }: ChangeWords,
): string {
  const figures = [before, after].map((value) => formatFigure(feature, value, format));
  const average = statistic === 'mean' ? ' on average' : '';
  const shown = `(${figures.join(' -> ')}${average})`;
  const isMore = after > before;
  const label = featureLabel(feature);
  if (format.units.get(feature) === 'share') {
    const points = formatNumber(Math.abs(after - before) * 100);
    return `have a ${label} ${points} points ${isMore ? 'higher' : 'lower'} ${shown}`;
  }
  if (feature === silence)
    return `have been silent ${degree(relative, 'as long', isMore ? 'longer' : 'less long')} ${shown}`;
  if (feature === spend || label === featureLabel(spend ?? ''))
    return `have spent ${degree(relative, 'as much', isMore ? 'more' : 'less')} ${shown}`;
  const isCountable = label.endsWith('s') && !label.endsWith('ss') && !label.includes(' per ');
  const [many, other] = isCountable
    ? ['as many', isMore ? 'more' : 'fewer']
    : ['the', isMore ? 'higher' : 'lower'];
  return `have ${degree(relative, many, other)} ${label} ${shown}`;
}

/** From here on a change is told as a multiple: nobody reads 225 % more. */
const TIMES = 2;

/** `20 % more`, `3.2 times as much`. */
function degree(relative: number | null, times: string, more: string): string {
  if (relative === null) return more;
  if (relative + 1 >= TIMES) return `${formatNumber(Number((relative + 1).toPrecision(2)))} times ${times}`;
  return `${formatShare(Math.abs(relative))} ${more}`;
}

/** The strongest few, as one text; empty for none. */
export function tellChanges(changes: readonly FeatureChange[], most = TOLD): string {
  return changes
    .slice(0, most)
    .map(({ words }) => words)
    .join('; ');
}
