import type { Knex } from 'knex';

/**
 * memberships: one row per run and customer. Written once, never updated; a partition per run, named by the
 * run's sequence, so that a run comes and goes as a whole. Foreign keys were refused: they would look up
 * every one of a million rows for a handful of segments; the loader checks those instead.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table memberships (
      run_id text not null,
      customer_id text collate "C" not null,
      segment_id text not null,
      distance real not null check (distance >= 0),
      margin real not null,
      primary key (run_id, customer_id)
    ) partition by list (run_id);
    comment on table memberships is 'One row per run and customer.';
    comment on column memberships.customer_id is 'In byte order, as the artifacts have it.';
    comment on column memberships.distance is 'To the centre of the own cluster, in units of the transformed features.';
    comment on column memberships.margin is '(distance to the second centre - distance) / distance to the second: 0 = on the border.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table memberships');
}
