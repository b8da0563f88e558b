import { join } from 'node:path';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { ColumnFacts, TableFacts } from '../../pipelines/init/facts.ts';
import type { Warehouse } from '../../store/warehouse/duckdb.ts';
import type { SourceColumn } from '../../store/warehouse/sources.ts';
import { ident, isNestedType, literal, MISSING_WORDS } from './column-sql.ts';
import { columnFacts, type Tidied } from './inspect-columns.ts';
import { determinations, products } from './inspect-pairs.ts';

// A file is looked at whole where that is cheap, else in a part of its rows that their content chooses: the same
// rows each time, in whatever order they stand.

/** Rows whose counts are taken; of more rows a part. */
const MOST_ROWS = 3_000_000;
/** Rows whose texts are held against patterns, which costs a microsecond each. */
const PATTERN_ROWS = 100_000;
const MOST_COLUMNS = 500;

export interface Looking {
  warehouse: Warehouse;
  /** For the copies that are looked at; DuckDB may write there. */
  folder: string;
  signal?: AbortSignal;
}

export interface SeenTable {
  facts: TableFacts;
  /** Some values of each column, for the terminal alone. */
  examples: Readonly<Record<string, readonly string[]>>;
}

/**
 * What is to be seen of a table.
 *
 * @param from relation to stand behind FROM
 * @throws PipelineError EXTRACT_EMPTY without rows, EXTRACT_UNREADABLE with more columns than are looked at
 */
export async function inspectTable(
  looking: Looking,
  table: { name: string; from: string; columns: readonly SourceColumn[] },
): Promise<SeenTable> {
  const { warehouse, signal } = looking;
  const { name, from } = table;
  const columns = table.columns.filter(({ type }) => !isNestedType(type));
  if (table.columns.length > MOST_COLUMNS) {
    throw new PipelineError(
      'EXTRACT_UNREADABLE',
      `extract ${name} needs at most ${MOST_COLUMNS} columns to be looked at, it has ${table.columns.length}; take those that matter`,
      { file: name },
    );
  }
  const [counted] = await warehouse.rows(`SELECT count(*) AS rows FROM ${from}`, { signal });
  const rows = Number(counted!.rows);
  if (rows === 0) {
    throw new PipelineError('EXTRACT_EMPTY', `extract ${name} has columns and no rows`, { file: name });
  }
  const part = partOf(columns, rows, MOST_ROWS);
  const words = await missingWordsIn(looking, { from: `(FROM ${from} ${part})`, columns });
  const path = join(looking.folder, `seen-${name.replace(/[^\w.-]/g, '_')}.parquet`);
  const tidy = columns.map((column) => `${tidySql(column, words)} AS ${ident(column.name)}`);
  const seen = await warehouse.copyToParquet(`SELECT ${tidy.join(', ')} FROM ${from} ${part}`, path, {
    signal,
  });
  const tidied = {
    from: `read_parquet(${literal(path)})`,
    sample: partOf(columns, seen.rows, PATTERN_ROWS),
    rows: seen.rows,
    columns,
  };
  const facts: ColumnFacts[] = await columnFacts(looking, tidied, words);
  return {
    examples: await examplesOf(looking, tidied),
    facts: {
      name,
      rows,
      rowsSeen: seen.rows,
      columns: facts,
      determines: await determinations(looking, tidied, facts),
      products: await products(looking, tidied, facts),
    },
  };
}

const EXAMPLES = { values: 2, characters: 24 };

async function examplesOf({ warehouse, signal }: Looking, { from, sample, columns }: Tidied) {
  const examples: Record<string, string[]> = {};
  for (const { name } of columns) {
    const rows = await warehouse.rows(
      `SELECT DISTINCT left(CAST(${ident(name)} AS VARCHAR), ${EXAMPLES.characters}) AS value FROM (FROM ${from} ${sample})
      WHERE ${ident(name)} IS NOT NULL ORDER BY hash(value), value LIMIT ${EXAMPLES.values}`,
      { signal },
    );
    examples[name] = rows.map(({ value }) => String(value).replace(/\p{C}/gu, '·'));
  }
  return examples;
}

/** WHERE … that leaves about so many rows, by their content; nothing where there are no more than that. */
function partOf(columns: readonly SourceColumn[], rows: number, most: number): string {
  if (rows <= most) return '';
  const content = columns.map(({ name }) => ident(name)).join(', ');
  return `WHERE hash(${content}) % ${Math.ceil(rows / most)} = 0`;
}

/** Column -> the spellings of no value that it has. */
async function missingWordsIn(
  { warehouse, signal }: Looking,
  { from, columns }: { from: string; columns: readonly SourceColumn[] },
): Promise<Record<string, string[]>> {
  const texts = columns.filter(({ type }) => type === 'VARCHAR');
  if (texts.length === 0) return {};
  const list = MISSING_WORDS.map(literal).join(', ');
  const found = texts.flatMap(({ name }, i) => {
    const text = `upper(trim(${ident(name)}))`;
    return [
      `list_sort(list(DISTINCT ${text}) FILTER (WHERE ${text} IN (${list}))) AS w${i}`,
      // Namibia's code, where there are other codes of two letters.
      `count_if(regexp_full_match(trim(${ident(name)}), '[A-Z]{2}') AND trim(${ident(name)}) <> 'NA') AS codes${i}`,
    ];
  });
  const [row] = await warehouse.rows(`SELECT ${found.join(', ')} FROM ${from}`, { signal });
  return Object.fromEntries(
    texts.map(({ name }, i) => {
      const words = (row![`w${i}`] as string[] | null) ?? [];
      return [name, words.filter((word) => word !== 'NA' || Number(row![`codes${i}`]) === 0)];
    }),
  );
}

function tidySql({ name, type }: SourceColumn, words: Readonly<Record<string, string[]>>): string {
  const column = ident(name);
  if (type === 'DOUBLE' || type === 'FLOAT') return `CASE WHEN isnan(${column}) THEN NULL ELSE ${column} END`;
  if (type !== 'VARCHAR') return column;
  const text = `nullif(trim(${column}), '')`;
  const missing = words[name] ?? [];
  if (missing.length === 0) return text;
  return `CASE WHEN upper(trim(${column})) IN (${missing.map(literal).join(', ')}) THEN NULL ELSE ${text} END`;
}
