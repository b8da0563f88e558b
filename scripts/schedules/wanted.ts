import { scheduleIdOf, type WantedSchedule } from '../../pipelines/stages/schedules/facts.ts';
import { type DefinitionFolders, listDefinitions, loadDefinition } from '../../store/definitions.ts';

export interface Wanted extends WantedSchedule {
  /** IANA zone of the shop's clock. */
  shop: string;
}

/**
 * The schedules that stand in definitions, of one pipeline or of all there are.
 *
 * @throws PipelineError PIPELINE_UNKNOWN, DEFINITION_INVALID: with one file that cannot be read no plan is complete
 */
export async function wantedSchedules(folders: DefinitionFolders, pipeline?: string): Promise<Wanted[]> {
  const names = pipeline === undefined ? await listDefinitions(folders) : [pipeline];
  const loaded = await Promise.all(names.map((name) => loadDefinition(folders, name)));
  return loaded.flatMap(({ definition, schedules }) =>
    schedules.map((schedule) => ({
      id: scheduleIdOf(definition.pipeline, schedule.name),
      pipeline: definition.pipeline,
      schedule,
      shop: definition.source.timezone ?? 'UTC',
    })),
  );
}
