import type { Stages } from '../pipelines/contracts/stages.ts';
import { attributesOf, withCustomersSql } from '../pipelines/stages/customers.ts';
import { measureProfile } from '../pipelines/stages/profile/measure.ts';
import { renderProfilePage } from '../pipelines/stages/profile/page.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { changesSince, previousProfile } from './previous-profile.ts';
import { runStage } from './stage.ts';
import { parquet, withWarehouse } from './warehouse.ts';

/**
 * The extract -> what it looks like, as JSON and as one page to read, and what changed since the last publication.
 * The JSON depends on the extract and the definition alone.
 */
export function createProfileActivities(context: ActivityContext): Pick<Stages, 'profileExtract'> {
  const { artifacts } = context;
  return {
    async profileExtract({ run, extract }) {
      const previous = await previousProfile(context, run);
      const inputs = [
        extract.artifact,
        ...(extract.customers ? [extract.customers.artifact] : []),
        previous?.since.runId ?? null,
        previous?.report ?? null,
      ];
      return runStage(context, { stage: 'profile', run, inputs }, async ({ signal, onProgress }) => {
        const definition = await frozenDefinition(artifacts, run);
        const { title, currency, contract, features } = definition;
        const timezone = definition.source.timezone ?? 'UTC';
        const from = parquet(await artifacts.path(extract.artifact));
        const { asOf, watermark } = extract;
        const customers = extract.customers && parquet(await artifacts.path(extract.customers.artifact));
        const withCustomers = (rows: string) =>
          customers ? withCustomersSql({ from: rows, customers, definition, isNumbered: false }) : rows;
        const attributes = attributesOf(definition.source);
        const profile = await withWarehouse(context, (warehouse) =>
          measureProfile(
            {
              rows: (sql) => warehouse.rows(sql, { signal }),
              numbers: async (sql) => (await warehouse.columns(sql, { signal })).numbers,
            },
            { from, contract, asOf, rowNumber: 'file_row_number', attributes, withCustomers },
            { title, currency, timezone, watermark, features, onProgress },
          ),
        );
        const changes = previous && (await changesSince(context, previous, profile));
        const about = { runId: run.runId, rows: profile.columns.length };
        const page = Buffer.from(renderProfilePage(profile, changes));
        return {
          report: await artifacts.write('report', encodeJson(profile), { ...about, ending: 'json' }),
          page: await artifacts.write('report', page, { ...about, ending: 'html' }),
          changes:
            changes &&
            (await artifacts.write('report', encodeJson(changes), {
              runId: run.runId,
              ending: 'json',
              rows: changes.findings.length,
            })),
        };
      });
    },
  };
}
