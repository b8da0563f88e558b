import type { Knex } from 'knex';

/**
 * movements: one row per run, from, to and cause: customers who changed segment since the last publication.
 * stability_metrics: one per run, metric and subject.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table movements (
      run_id text not null references runs,
      from_segment_id text references segments,
      to_segment_id text references segments,
      cause text not null check (cause in ('behaviour', 'model')),
      customers bigint not null check (customers >= 0),
      spend_cents bigint,
      unique nulls not distinct (run_id, from_segment_id, to_segment_id, cause),
      check (from_segment_id is not null or to_segment_id is not null)
    );
    comment on table movements is 'One row per run, from, to and cause.';
    comment on column movements.from_segment_id is 'Null: customers who are new.';
    comment on column movements.to_segment_id is 'Null: customers who are lost.';
    comment on column movements.cause is 'Behaviour: the last model would have moved them too; model: only the new one does.';
    comment on column movements.spend_cents is 'Spend of these customers; null where the pipeline has none.';

    create table stability_metrics (
      run_id text not null references runs,
      metric text not null check (metric <> ''),
      subject text not null default '',
      value double precision,
      threshold double precision,
      verdict text not null,
      primary key (run_id, metric, subject)
    );
    comment on table stability_metrics is 'One row per run, metric and subject.';
    comment on column stability_metrics.subject is 'A feature or a segment; empty for the run as a whole.';
    comment on column stability_metrics.value is 'Null where it cannot be computed.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table stability_metrics, movements');
}
