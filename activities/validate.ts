import type { Stages } from '../pipelines/contracts/stages.ts';
import {
  judge,
  quarantineSql,
  readValidation,
  validationReport,
  validationSql,
} from '../pipelines/stages/validate.ts';
import { encodeJson } from '../store/artifacts/json.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { runStage } from './stage.ts';
import { parquet, withWarehouse } from './warehouse.ts';

/** The extract against its contract -> a verdict, a report, and every refused row kept with its reasons. */
export function createValidateActivities(context: ActivityContext): Pick<Stages, 'validateExtract'> {
  const { artifacts } = context;
  return {
    async validateExtract({ run, extract }) {
      return runStage(context, { stage: 'validate', run, inputs: [extract.artifact] }, async ({ signal }) => {
        const definition = await frozenDefinition(artifacts, run.definition);
        const { contract } = definition;
        const from = parquet(await artifacts.path(extract.artifact));
        return withWarehouse(context, async (warehouse) => {
          const [row] = await warehouse.rows(validationSql({ from, contract }), { signal });
          const counts = readValidation(row!, contract);
          const judgement = judge(counts, definition);
          const refused = counts.rows - counts.accepted;
          const quarantine = await artifacts.take(
            'quarantine',
            { runId: run.runId, ending: 'parquet' },
            (path) =>
              warehouse.copyToParquet(quarantineSql({ from, contract, refused }), path, {
                signal,
                hasLists: true,
              }),
          );
          const report = await artifacts.write(
            'report',
            encodeJson(validationReport(counts, judgement, contract)),
            {
              runId: run.runId,
              ending: 'json',
              rows: contract.rules.length,
            },
          );
          return { ...judgement, report, quarantine };
        });
      });
    },
  };
}
