import type { Knex } from 'knex';

/**
 * missed_runs: one row per pipeline, schedule and due time that was told to have no run. Its alert is about runs that
 * there are not, so alerts and messages of the outbox may have none; such a message has an alert in its place.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table alerts alter column opened_in_run drop not null;
    alter table alerts alter column last_seen_run drop not null;
    alter table alerts add constraint alerts_runs_check check ((opened_in_run is null) = (last_seen_run is null));
    comment on column alerts.opened_in_run is 'Null: it is about runs that there are not, see missed_runs.';
    comment on column alerts.occurrences is 'Runs in which it was seen; of missed runs their due times.';

    create table missed_runs (
      pipeline text not null references pipelines,
      schedule text not null check (schedule <> ''),
      due_at timestamptz not null,
      cause text not null check (cause in ('missed', 'overlap', 'paused')),
      alert_id text not null references alerts,
      found_at timestamptz not null default now(),
      met_at timestamptz,
      primary key (pipeline, schedule, due_at)
    );
    create index missed_runs_of_alert on missed_runs (alert_id);
    comment on table missed_runs is 'One row per pipeline, schedule and due time that was told to have no run.';
    comment on column missed_runs.cause is 'As it was when the due time was found: not started, skipped since another run was going on, or left out by a pause.';
    comment on column missed_runs.met_at is 'When its run was seen to have come after all; null: it has none.';

    alter table outbox alter column run_id drop not null;
    alter table outbox add column alert_id text references alerts;
    alter table outbox add constraint outbox_about_check check ((run_id is null) = (alert_id is not null));
    alter table outbox add constraint outbox_alert_id_event_channel_key unique (alert_id, event, channel);
    comment on table outbox is 'One row per run, event and channel, or alert, event and channel: what others are told.';
    comment on column outbox.run_id is 'Null: it is about no run.';
    comment on column outbox.alert_id is 'Of a message about no run the first of its alerts; else null.';
  `);
}

/** What was told of runs that there are not goes: the tables of before have no place for it. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    delete from outbox where run_id is null;
    alter table outbox drop constraint outbox_alert_id_event_channel_key;
    alter table outbox drop constraint outbox_about_check;
    alter table outbox drop column alert_id;
    alter table outbox alter column run_id set not null;
    comment on table outbox is 'One row per run, event and channel: what others are told.';
    comment on column outbox.run_id is null;

    drop table missed_runs;

    delete from alerts where opened_in_run is null;
    alter table alerts drop constraint alerts_runs_check;
    alter table alerts alter column last_seen_run set not null;
    alter table alerts alter column opened_in_run set not null;
    comment on column alerts.opened_in_run is null;
    comment on column alerts.occurrences is 'Runs in which it was seen.';
  `);
}
