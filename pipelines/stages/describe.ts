import type { NamingSettings } from '../contracts/definition.ts';
import type { SegmentSummary } from '../contracts/run.ts';
import { type FigureFormat, formatFigure, formatNumber, formatShare, labelOf } from './figures.ts';
import type { IdentifiedSegment } from './identity.ts';
import { type Advice, localeOf, type Position } from './locales/locale.ts';
import type { SegmentName } from './name.ts';
import { TRAIT_DIFFERENCE } from './name-evidence.ts';
import type { FeatureFigures, PopulationFigures, Profiles, SegmentProfile } from './segment-profile.ts';

// Texts for people who plan what to send to whom: who they are, why they are a segment, what to do with
// that and what to leave. Figures are this run's; only the name stays from run to run.

const TYPICAL_FIGURES = 3;
/** Units of a stage that says how long ago customers ordered. */
const SILENCE = new Set(['days', 'usual gaps']);

interface Telling {
  profiles: Profiles;
  /** Whose locale is the language, and whose bands the advice goes by. */
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
export function typicalFigures(profile: SegmentProfile, telling: Telling): string[] {
  const { profiles, format } = telling;
  const shown = new Map<string, { feature: string; strength: number }>();
  const byStrength = Object.entries(profile.features)
    .map(([feature, { difference }]) => ({ feature, strength: Math.abs(difference) }))
    .sort((left, right) => right.strength - left.strength || (left.feature < right.feature ? -1 : 1));
  for (const entry of byStrength) {
    // `spendCents` and `spend` are one figure in two units.
    const label = labelOf(entry.feature, format);
    if (!shown.has(label)) shown.set(label, entry);
  }
  const strong = [...shown.values()].filter(({ strength }) => strength >= TRAIT_DIFFERENCE);
  const told = strong.length > 0 ? strong : [...shown.values()].slice(0, 1);
  return told
    .slice(0, TYPICAL_FIGURES)
    .map(({ feature }) =>
      compareWithAll(feature, { own: profile.features[feature]!, all: profiles.all[feature]!, telling }),
    );
}

/** Medians, or means where the medians are equal and would say nothing. */
function compareWithAll(
  feature: string,
  { own, all, telling }: { own: FeatureFigures; all: PopulationFigures; telling: Telling },
): string {
  const { naming, format } = telling;
  const statistic = own.median === all.median ? 'mean' : 'median';
  return localeOf(naming.locale).description.typical({
    label: labelOf(feature, format),
    own: formatFigure(feature, own[statistic], format),
    all: formatFigure(feature, all[statistic], format),
    isMean: statistic === 'mean',
  });
}

/** One paragraph: who, why, what to do, what not to do. */
export function describeSegment(profile: SegmentProfile, telling: Telling): string {
  const locale = localeOf(telling.naming.locale);
  const { customers, share, spendShare } = profile;
  const who = locale.description.who({
    customers,
    count: formatNumber(customers, locale),
    share: formatShare(share, locale),
    spendShare: spendShare === null ? null : formatShare(spendShare, locale),
  });
  const typical = typicalFigures(profile, telling);
  return locale.description.text({ who, typical, ...adviceFor(profile, telling) });
}

function adviceFor(profile: SegmentProfile, { naming, format }: Telling): Advice {
  const { byRecency, byValue } = localeOf(naming.locale);
  const value = bandPosition(profile, naming.value);
  const isSilence = SILENCE.has(format.units.get(naming.stage.feature) ?? '');
  return isSilence ? byRecency[bandPosition(profile, naming.stage)][value] : byValue[value];
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
