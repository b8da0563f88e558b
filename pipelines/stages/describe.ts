import type { NamingSettings } from '../contracts/definition.ts';
import type { SegmentSummary } from '../contracts/run.ts';
import { type FigureFormat, featureLabel, formatFigure, formatNumber, formatShare } from './figures.ts';
import type { IdentifiedSegment } from './identity.ts';
import type { SegmentName } from './name.ts';
import { TRAIT_DIFFERENCE } from './name-evidence.ts';
import type { FeatureFigures, PopulationFigures, Profiles, SegmentProfile } from './segment-profile.ts';

// Texts for people who plan what to send to whom: who they are, why they are a segment, what to do with
// that and what to leave. Figures are this run's; only the name stays from run to run.

const TYPICAL_FIGURES = 3;

interface Telling {
  profiles: Profiles;
  naming: NamingSettings;
  format: FigureFormat;
}

/** The segments of a run as its summary shows them. */
export function summariseSegments(
  names: readonly SegmentName[],
  telling: Telling & { identities: readonly IdentifiedSegment[] },
): SegmentSummary[] {
  return names.map(({ segmentId, cluster, name, status }) => {
    const profile = telling.profiles.segments[cluster]!;
    const identity = telling.identities.find((segment) => segment.segmentId === segmentId);
    return {
      segmentId,
      name,
      description: describeSegment(profile, telling),
      customers: profile.customers,
      share: profile.share,
      spendShare: profile.spendShare,
      typical: typicalFigures(profile, telling),
      nameStatus: status,
      event: identity?.event ?? 'born',
    };
  });
}

/**
 * What sets a segment apart, strongest first: `orders 10 (all: 2)`. Features that differ by half a standard
 * deviation or more, at most three, and the strongest one where none does.
 */
export function typicalFigures(profile: SegmentProfile, { profiles, format }: Telling): string[] {
  const shown = new Map<string, { feature: string; strength: number }>();
  const byStrength = Object.entries(profile.features)
    .map(([feature, { difference }]) => ({ feature, strength: Math.abs(difference) }))
    .sort((left, right) => right.strength - left.strength || (left.feature < right.feature ? -1 : 1));
  for (const entry of byStrength) {
    // `spendCents` and `spend` are one figure in two units.
    const label = featureLabel(entry.feature);
    if (!shown.has(label)) shown.set(label, entry);
  }
  const strong = [...shown.values()].filter(({ strength }) => strength >= TRAIT_DIFFERENCE);
  const told = strong.length > 0 ? strong : [...shown.values()].slice(0, 1);
  return told
    .slice(0, TYPICAL_FIGURES)
    .map(({ feature }) =>
      compareWithAll(feature, { own: profile.features[feature]!, all: profiles.all[feature]!, format }),
    );
}

/** Medians, or means where the medians are equal and would say nothing. */
function compareWithAll(
  feature: string,
  { own, all, format }: { own: FeatureFigures; all: PopulationFigures; format: FigureFormat },
): string {
  const statistic = own.median === all.median ? 'mean' : 'median';
  const ofSegment = formatFigure(feature, own[statistic], format);
  const ofAll = formatFigure(feature, all[statistic], format);
  const average = statistic === 'mean' ? ' on average' : '';
  return `${featureLabel(feature)} ${ofSegment}${average} (all: ${ofAll})`;
}

/** One paragraph: who, why, what to do, what not to do. */
export function describeSegment(profile: SegmentProfile, telling: Telling): string {
  const customers = profile.customers === 1 ? 'customer' : 'customers';
  const money = profile.spendShare === null ? '' : ` with ${formatShare(profile.spendShare)} of the spend`;
  const who = `${formatNumber(profile.customers)} ${customers}, ${formatShare(profile.share)} of all,${money}`;
  const why = `Typical: ${typicalFigures(profile, telling).join('; ')}.`;
  const { toDo, notToDo } = adviceFor(profile, telling);
  return `${who.replace(/,$/, '')}. ${why} To do: ${toDo}. Not to do: ${notToDo}.`;
}

type Position = 'low' | 'middle' | 'high';

interface Advice {
  toDo: string;
  notToDo: string;
}

// By how long ago they ordered (only where the stage is counted in days) and by the value band.
const BY_RECENCY: Record<Position, Record<Position, Advice>> = {
  low: {
    high: {
      toDo: 'thank them, show new things first, ask them to recommend the shop',
      notToDo: 'discount what they buy anyway',
    },
    middle: {
      toDo: 'suggest what goes with their last orders while they are active',
      notToDo: 'send the same message more often to everyone',
    },
    low: {
      toDo: 'help with the next order: what others bought after their first',
      notToDo: 'spend on gifts before the next order',
    },
  },
  middle: {
    high: {
      toDo: 'get in touch in person before they are gone, with what they used to buy',
      notToDo: 'wait for them to come back by themselves',
    },
    middle: {
      toDo: 'remind them with one good reason to return',
      notToDo: 'open with a large discount',
    },
    low: {
      toDo: 'include them in regular news and watch who responds',
      notToDo: 'pay for advertising to reach them',
    },
  },
  high: {
    high: {
      toDo: 'ask what changed and make a personal offer to return',
      notToDo: 'treat them as new customers',
    },
    middle: {
      toDo: 'try one well-timed offer to return',
      notToDo: 'keep the full frequency of messages',
    },
    low: {
      toDo: 'send one inexpensive reminder, then write rarely',
      notToDo: 'count on them in plans or pay to reach them',
    },
  },
};

const BY_VALUE: Record<Position, Advice> = {
  high: { toDo: 'look after them in person', notToDo: 'discount what they buy anyway' },
  middle: { toDo: 'suggest what goes with their last orders', notToDo: 'open with a large discount' },
  low: { toDo: 'include them in regular news', notToDo: 'spend more on reaching them than they spend' },
};

function adviceFor(profile: SegmentProfile, { naming, format }: Telling): Advice {
  const value = bandPosition(profile, naming.value);
  if (format.units.get(naming.stage.feature) !== 'days') return BY_VALUE[value];
  return BY_RECENCY[bandPosition(profile, naming.stage)][value];
}

/** Where the segment's median lies among the bands, from the lowest figures to the highest. */
function bandPosition(profile: SegmentProfile, { feature, bands }: NamingSettings['stage']): Position {
  const median = profile.features[feature]?.median ?? 0;
  const limits = [...new Set(bands.flatMap(({ atLeast, below }) => [atLeast, below]))]
    .filter((limit) => limit !== undefined)
    .sort((left, right) => left - right);
  const above = limits.filter((limit) => median >= limit).length;
  if (above === 0) return 'low';
  return above === limits.length ? 'high' : 'middle';
}
