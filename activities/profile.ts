import type { SourceColumns } from '../pipelines/contracts/source.ts';
import type { Stages } from '../pipelines/contracts/stages.ts';
import { mappedColumns } from '../pipelines/stages/extract.ts';
import { buildProfile, profileQueries } from '../pipelines/stages/profile.ts';
import { renderProfilePage } from '../pipelines/stages/profile-page.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import type { Row } from '../store/warehouse/duckdb.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { runStage } from './stage.ts';
import { parquet, withWarehouse } from './warehouse.ts';

/** The extract -> what it looks like, as JSON and as one page to read. */
export function createProfileActivities(context: ActivityContext): Pick<Stages, 'profileExtract'> {
  const { artifacts } = context;
  return {
    async profileExtract({ run, extract }) {
      return runStage(context, { stage: 'profile', run, inputs: [extract.artifact] }, async (work) => {
        const { title, currency, contract, source } = await frozenDefinition(artifacts, run);
        const from = withFigures(parquet(await artifacts.path(extract.artifact)), source.columns);
        const columns = [...mappedColumns(source.columns), 'amount', 'malformed'];
        const results: Record<string, Row[]> = {};
        await withWarehouse(context, async (warehouse) => {
          const queries = profileQueries({ from, columns, contract });
          for (const [i, { name, sql }] of queries.entries()) {
            results[name] = await warehouse.rows(sql, { signal: work.signal });
            work.onProgress(i + 1, queries.length);
          }
        });
        const { asOf, watermark, rowsRead: rows } = extract;
        const profile = buildProfile(results, { title, currency, asOf, rows, watermark, contract });
        const about = { runId: run.runId, rows: profile.columns.length };
        return {
          report: await artifacts.write('report', encodeJson(profile), { ...about, ending: 'json' }),
          page: await artifacts.write('report', Buffer.from(renderProfilePage(profile)), {
            ...about,
            ending: 'html',
          }),
        };
      });
    },
  };
}

/** The figures that the profile asks for, NULL where the source has none. */
function withFigures(from: string, { quantity, unit_price }: SourceColumns): string {
  const absent = [
    ...(quantity === undefined ? ['CAST(NULL AS BIGINT) AS quantity'] : []),
    ...(unit_price === undefined ? ['CAST(NULL AS DECIMAL(18,4)) AS unit_price'] : []),
  ];
  return absent.length === 0 ? from : `(SELECT *, ${absent.join(', ')} FROM ${from})`;
}
