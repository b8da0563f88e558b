import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { SourceColumn } from './sources.ts';

/** Names in a message: all of them for people, but a message is a payload, too. */
const NAMES_SHOWN = 40;
/** A number, a date, a time of day or an address: what no header line is made of. */
const LOOKS_LIKE_VALUE = [
  /^[-+]?[\d.,:/ TZ-]*\d[\d.,:/ TZ-]*$/,
  /\b\d{1,2}(st|nd|rd|th)?[ .,-]+\p{L}{3,9}[ .,-]+\d{2,4}\b/u,
  /\b\p{L}{3,9}[ .,-]+\d{1,2}(st|nd|rd|th)?[ .,-]+\d{4}\b/u,
  /\S@\S/,
];
const HOLDS_SEVERAL = /^(STRUCT|MAP|UNION|VARIANT)\b|\[\d*\]$/;

/**
 * Type of each source column that a definition maps, by its name in the definition. Names match as SQL's do,
 * in any case.
 *
 * @param mapping canonical column -> column of the source
 * @throws PipelineError EXTRACT_COLUMN_MISSING naming each missing column, its role, and the columns there
 *   are; EXTRACT_COLUMN_INVALID for one that is there twice, whose values are lists or records, or
 *   whose times have a zone in one file and none in another
 */
export function typesOf(
  mapping: Readonly<Record<string, string | undefined>>,
  columns: readonly SourceColumn[],
  fileName: string,
): Record<string, string> {
  const types: Record<string, string> = {};
  const missing: string[] = [];
  const byName = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  let lackedBy: string | undefined;
  for (const [role, wanted] of Object.entries(mapping)) {
    if (wanted === undefined) continue;
    const column = byName.get(wanted.toLowerCase());
    if (column === undefined || column.lackedBy !== undefined) {
      missing.push(`${wanted} (as ${role})`);
      lackedBy ??= column?.lackedBy;
    } else {
      assertFit(column, role, fileName);
      types[wanted] = column.type;
    }
  }
  if (missing.length > 0) {
    const name = lackedBy ?? fileName;
    const there = columns.filter((column) => lackedBy === undefined || column.lackedBy !== lackedBy);
    throw new PipelineError(
      'EXTRACT_COLUMN_MISSING',
      `extract ${name} needs ${missing.length === 1 ? 'column' : 'columns'} ${missing.join(', ')}, ` +
        `found ${listed(there)}; add it, or name the right one under source.columns in pipeline.yaml`,
      { file: name, missing: missing.join(', ') },
    );
  }
  return types;
}

function assertFit(column: SourceColumn, role: string, fileName: string): void {
  const { name, type, repeatedIn, mixedZones } = column;
  if (repeatedIn !== undefined) {
    throw new PipelineError(
      'EXTRACT_COLUMN_INVALID',
      `extract ${repeatedIn} needs one column ${name} (as ${role}), its header line names several; rename all but one`,
      { file: repeatedIn, column: name },
    );
  }
  if (mixedZones !== undefined) {
    const { zonedIn, naiveIn } = mixedZones;
    throw new PipelineError(
      'EXTRACT_COLUMN_INVALID',
      `extract ${naiveIn} needs times with a zone in column ${name} (as ${role}) as ${zonedIn} has them, found times without one; export both files alike`,
      { file: naiveIn, column: name },
    );
  }
  if (!HOLDS_SEVERAL.test(type)) return;
  throw new PipelineError(
    'EXTRACT_COLUMN_INVALID',
    `extract ${fileName} needs one value per row in column ${name} (as ${role}), found ${type.slice(0, 80)}; export the part that is meant as a column of its own`,
    { file: fileName, column: name },
  );
}

/** A first line that is no header is a row, and no message holds a row's values. */
function listed(columns: readonly SourceColumn[]): string {
  if (columns.some(({ name }) => LOOKS_LIKE_VALUE.some((form) => form.test(name))))
    return `a first line of ${columns.length} fields that looks like a row and not like a header`;
  const names = columns.slice(0, NAMES_SHOWN).map(({ name }) => name.slice(0, 60));
  const more = columns.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more.toLocaleString('en')} more` : '');
}
