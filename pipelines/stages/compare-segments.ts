import { NOISE } from '../../numeric/cluster/algorithm.ts';
import type { Definition } from '../contracts/definition.ts';
import type { ShownSegment } from './compare-report.ts';
import type { Columns } from './features.ts';
import { featureLabel, figureFormat, formatFigure } from './figures.ts';
import { profileSegments } from './segment-profile.ts';

/** The segments of one segmentation as a marketer would know them: how many, how much money, which medians. */
export function shownSegments(found: {
  columns: Columns;
  /** Of all customers; those in no cluster are left out. */
  labels: Uint8Array;
  names: string[] | null;
  definition: Pick<Definition, 'features' | 'currency' | 'naming'>;
}): ShownSegment[] {
  const { names, definition } = found;
  const rows = Int32Array.from(found.labels.keys()).filter((row) => found.labels[row] !== NOISE);
  const labels = Uint8Array.from(rows, (row) => found.labels[row]!);
  const columns = Object.fromEntries(
    Object.entries(found.columns).map(([name, column]) => [
      name,
      Float64Array.from(rows, (row) => column[row]!),
    ]),
  );
  const format = figureFormat(definition);
  const clustered = definition.features.cluster.map(({ feature }) => feature);
  const k = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const { spend } = definition.naming;
  const { segments } = profileSegments({ columns, labels, k, ...(spend !== undefined && { spend }) });
  return segments.map(({ cluster, customers, spendShare, features }) => ({
    name: names?.[cluster] ?? null,
    customers,
    share: customers / found.labels.length,
    spendShare,
    typical: clustered.map(
      (feature) => `${featureLabel(feature)} ${formatFigure(feature, features[feature]!.median, format)}`,
    ),
  }));
}
