import type { Stages } from '../pipelines/contracts/stages.ts';
import { judge, toldReasons, validationReport } from '../pipelines/stages/judge.ts';
import { brokenRowsSql, quarantineSql, readValidation, validationSql } from '../pipelines/stages/validate.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { runStage } from './stage.ts';
import { validateCustomers, withTable } from './validate-customers.ts';
import { parquet, withWarehouse } from './warehouse.ts';

/** Of the activity's own database, which goes with it. */
const BROKEN_ROWS = 'broken_rows';

/** The extract against its contract -> a verdict, a report, and every refused row kept with its reasons. */
export function createValidateActivities(context: ActivityContext): Pick<Stages, 'validateExtract'> {
  const { artifacts } = context;
  return {
    async validateExtract({ run, extract }) {
      const { customers } = extract;
      const inputs = [extract.artifact, ...(customers ? [customers.artifact] : [])];
      return runStage(context, { stage: 'validate', run, inputs }, async ({ signal }) => {
        const definition = await frozenDefinition(artifacts, run);
        const { contract } = definition;
        const from = parquet(await artifacts.path(extract.artifact));
        return withWarehouse(context, async (warehouse) => {
          const checked = { from, contract, broken: BROKEN_ROWS };
          await warehouse.rows(brokenRowsSql(checked), { signal });
          const [row] = await warehouse.rows(validationSql(checked), { signal });
          const counts = readValidation(row!, contract);
          const judgement = judge(counts, definition, extract.asOf);
          const refused = counts.rows - counts.accepted;
          const quarantine = await artifacts.take(
            'quarantine',
            { runId: run.runId, ending: 'parquet' },
            (path) =>
              warehouse.copyToParquet(quarantineSql({ ...checked, refused }), path, {
                signal,
                hasLists: true,
              }),
          );
          const second = customers
            ? await validateCustomers(context, { run, customers, contract, warehouse, signal })
            : null;
          const judged = second ? withTable(judgement, second) : judgement;
          const found = validationReport(counts, judged, contract);
          const report = await artifacts.write(
            'report',
            encodeJson(second ? { ...found, tables: [second.report] } : found),
            { runId: run.runId, ending: 'json', rows: contract.rules.length },
          );
          const { rowsReleased } = extract;
          const released = rowsReleased === undefined ? {} : { rowsReleased };
          const { quarantine: refusedCustomers } = second ?? {};
          return {
            ...judged,
            reasons: toldReasons(judged.reasons),
            counts: { ...judged.counts, ...released },
            report,
            quarantine,
            ...(refusedCustomers && { customers: { quarantine: refusedCustomers } }),
          };
        });
      });
    },
  };
}
