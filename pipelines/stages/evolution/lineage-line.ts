/** What became of identities from one publication to the next. */
export interface LineageEdge {
  /** Place of the later publication in the line. */
  at: number;
  from: string;
  to: string;
  /** `split`: a new segment came out of another; `merged`: a segment went into another and is no more. */
  kind: 'split' | 'merged';
}

/** When a segment was there. */
export interface SegmentLife {
  segmentId: string;
  /** Places in the line at which it is there, rising. */
  places: number[];
  /** Came with no segment it came out of, after the first publication. */
  isBorn: boolean;
  /** Went into no other segment, before the last publication. */
  isRetired: boolean;
}

export interface LineageLine {
  /** In the order in which they came. */
  lives: SegmentLife[];
  edges: LineageEdge[];
}

export interface IdentityStep {
  /** Ids in the order of their clusters, with the segments each came out of. */
  segments: readonly { segmentId: string; parents: readonly string[] }[];
}

/**
 * The lives of segments over publications. A parent counts where it explains a segment that is new or one that is no
 * more: a model that is published again tells of the same parents a second time.
 *
 * @param line in order
 */
export function traceLine(line: readonly IdentityStep[]): LineageLine {
  const lives = new Map<string, SegmentLife>();
  const edges: LineageEdge[] = [];
  line.forEach(({ segments }, at) => {
    const before = new Set(line[at - 1]?.segments.map(({ segmentId }) => segmentId) ?? []);
    const now = new Set(segments.map(({ segmentId }) => segmentId));
    for (const { segmentId, parents } of segments) {
      const life = lives.get(segmentId) ?? { segmentId, places: [], isBorn: at > 0, isRetired: false };
      life.places.push(at);
      lives.set(segmentId, life);
      for (const from of parents) {
        if (from === segmentId || !before.has(from)) continue;
        const isNew = !before.has(segmentId);
        if (isNew) life.isBorn = false;
        if (isNew) edges.push({ at, from, to: segmentId, kind: 'split' });
        else if (!now.has(from)) edges.push({ at, from, to: segmentId, kind: 'merged' });
      }
    }
  });
  const hasGoneInto = new Set(edges.filter(({ from }) => isGone(from)).map(({ from }) => from));
  function isGone(id: string): boolean {
    return (lives.get(id)?.places.at(-1) ?? -1) < line.length - 1;
  }
  for (const life of lives.values())
    life.isRetired = isGone(life.segmentId) && !hasGoneInto.has(life.segmentId);
  return { lives: [...lives.values()], edges };
}

/** What a segment is in a later publication, seen from an earlier one; `survived` of one that others went into too: `merged`. */
export type Became = 'survived' | 'merged' | 'split' | 'born' | 'gone';

export interface SegmentFate {
  segmentId: string;
  became: Became;
  /** Whether it is in both. */
  goesOn: boolean;
  /** Segments of the earlier publication that it came out of, itself not among them. */
  from: string[];
  /** Segments of the later publication that it went into; of those that are gone. */
  into: string[];
}

/**
 * What became of each segment between any two publications: those that are in both go on, the others are followed
 * along the edges between. In the order after, then those that are gone.
 */
export function fatesBetween(
  before: readonly string[],
  after: readonly string[],
  edges: readonly Pick<LineageEdge, 'from' | 'to'>[],
): SegmentFate[] {
  const reached = (id: string) => followed(id, edges);
  const fates = after.map((segmentId): SegmentFate => {
    const goesOn = before.includes(segmentId);
    const from = before.filter(
      (id) => id !== segmentId && (!goesOn || !after.includes(id)) && reached(id).has(segmentId),
    );
    if (goesOn) return { segmentId, became: from.length > 0 ? 'merged' : 'survived', goesOn, from, into: [] };
    const became = from.length === 0 ? 'born' : from.length === 1 ? 'split' : 'merged';
    return { segmentId, became, goesOn, from, into: [] };
  });
  const gone = before
    .filter((id) => !after.includes(id))
    .map((segmentId): SegmentFate => {
      const into = after.filter((id) => reached(segmentId).has(id));
      return { segmentId, became: 'gone', goesOn: false, from: [], into };
    });
  return [...fates, ...gone];
}

function followed(start: string, edges: readonly Pick<LineageEdge, 'from' | 'to'>[]): Set<string> {
  const found = new Set<string>();
  const open = [start];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const { from, to } of edges) {
      if (from !== id || found.has(to)) continue;
      found.add(to);
      open.push(to);
    }
  }
  return found;
}
