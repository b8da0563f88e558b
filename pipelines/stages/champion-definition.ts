import { completeDefinition, type Definition } from '../contracts/definition.ts';
import type { Source } from '../contracts/source.ts';

// What an assign run goes by. All that makes a customer's figures, accepts their rows and says what a name means
// belongs to the model: with other features its centres would mean nothing. Where the rows lie, what is done with the
// result and whom it is told to is of today.

const OF_THE_MODEL = ['features', 'contract', 'clustering', 'assignment', 'naming'] as const;

export interface ChampionDefinition {
  definition: Definition;
  /** What the present definition says otherwise, in sentences. */
  warnings: string[];
}

/**
 * @param champion as it was frozen with the run that fitted the model
 * @param present as it is frozen with the run that assigns
 * @throws PipelineError DEFINITION_INVALID when the model's cannot be read any more
 */
export function championDefinition({
  champion,
  present,
  fittedIn,
}: {
  champion: Definition;
  present: Definition;
  /** Run id, for the words. */
  fittedIn: string;
}): ChampionDefinition {
  const fitted = completeDefinition(champion);
  const { source, warning } = sourceOf(fitted.source, present.source);
  const { laterPeriodDays: _, ...clustering } = fitted.clustering;
  const changed = OF_THE_MODEL.filter((part) => !isSame(fitted[part], present[part]));
  const { features, contract, assignment, naming, currency, version } = fitted;
  return {
    definition: {
      ...present,
      // Days after the as-of date judge a choice of segments, and none is made here.
      ...{ features, contract, assignment, naming, currency, version, source, clustering },
    },
    warnings: [
      ...(changed.length > 0
        ? [
            `the definition's ${changed.join(', ')} changed since the model was fitted: those of ${fittedIn} count until a refit`,
          ]
        : []),
      ...(warning === null ? [] : [warning]),
    ],
  };
}

/** Where the rows lie today, unless something is missing there that the model's features may need. */
function sourceOf(fitted: Source, present: Source): { source: Source; warning: string | null } {
  if (isSame(fitted, present)) return { source: present, warning: null };
  const missing = offeredBy(fitted).filter((name) => !offeredBy(present).includes(name));
  if (missing.length > 0) {
    const names = missing.join(', ');
    return {
      source: fitted,
      warning: `the definition's source lacks ${names}, which the model's features may need: rows are read from the source of the model's run`,
    };
  }
  const parts = [...new Set([...Object.keys(fitted), ...Object.keys(present)])].filter(
    (part) => !isSame(Reflect.get(fitted, part), Reflect.get(present, part)),
  );
  const warning = `rows are read as the present definition says: its source differs from that of the model's run in ${parts.join(', ')}`;
  return { source: present, warning };
}

/** Names that features and rules can use. */
function offeredBy(source: Source): string[] {
  const roles = Object.entries(source.columns).flatMap(([role, column]) =>
    column === undefined ? [] : [role],
  );
  const second = source.kind === 'generated' ? [] : Object.keys(source.customers?.attributes ?? {});
  return [...roles, ...Object.keys(source.attributes ?? {}), ...second];
}

/** Whether two parts say the same, in whatever order their fields stand. */
function isSame(left: unknown, right: unknown): boolean {
  return canonical(left) === canonical(right);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
