/** What an artifact holds; also the folder it lies in. */
export const ARTIFACT_KINDS = [
  'definition',
  'extract',
  'quarantine',
  'release',
  'report',
  'customers',
  'matrix',
  'features',
  'part',
  'transforms',
  'later',
  'labels',
  'model',
  'clustering',
  'identities',
  'names',
  'stability',
  'manifest',
  'history',
  'comparison',
] as const;

export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

/** A reference to an immutable file: all that passes through Temporal of a stage's product. */
export interface ArtifactRef {
  /** Where it lies within the artifact store: `<kind>/<first two of sha256>/<sha256>.<ending>`. */
  uri: string;
  /** Digest of the bytes, 64 hexadecimal digits. */
  sha256: string;
  /** Rows, customers or entries, whatever the kind counts. */
  rows: number;
  bytes: number;
  kind: ArtifactKind;
}

/** The artifacts of a stage's result by name; those of its second table as `customers.artifact`. */
export function artifactsIn(result: object): [name: string, ref: ArtifactRef][] {
  return Object.entries(result).flatMap(([name, value]): [string, ArtifactRef][] => {
    if (value === null || typeof value !== 'object') return [];
    if ('sha256' in value) return [[name, value as ArtifactRef]];
    if (name !== 'customers') return [];
    return artifactsIn(value).map(([inner, artifact]) => [`${name}.${inner}`, artifact]);
  });
}
