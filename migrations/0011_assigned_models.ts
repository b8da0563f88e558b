import type { Knex } from 'knex';

/** models: one row per run with segments, also where the model is another run's: an assign run leaves the same for the next. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table models add column fitted_in_run_id text references runs;
    update models set fitted_in_run_id = run_id;
    alter table models alter column fitted_in_run_id set not null;
    comment on table models is 'One row per run with segments: references to what the next run needs of it.';
    comment on column models.fitted_in_run_id is 'The run that fitted the model: the same one, or that which an assign run took it from.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table models drop column fitted_in_run_id;
    comment on table models is 'One row per run that fitted a model: references to what the next run needs of it.';
  `);
}
