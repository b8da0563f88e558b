import type { Knex } from 'knex';

/** Of runs, which are kept for ever, the few that have not ended: they are counted at every look of a monitor. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('create index runs_open on runs (pipeline, sequence) where closed_at is null');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index runs_open');
}
