import type { Knex } from 'knex';

/**
 * alerts: one row per pipeline, rule and subject while it is open, and one for each that was. alert_checks: one
 * per run and moment at which its rules were asked, so that a second attempt asks nothing. The outbox learns
 * where a message goes, that it may have to wait, and of several messages of a run for one channel.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table alerts (
      alert_id text primary key check (alert_id ~ '^alr_.'),
      pipeline text not null references pipelines,
      rule text not null check (rule <> ''),
      subject text not null default '',
      severity text not null check (severity in ('info', 'warning', 'critical')),
      owner text check (owner <> ''),
      state text not null default 'open' check (state in ('open', 'acknowledged', 'resolved')),
      title text not null check (title <> ''),
      finding jsonb not null,
      magnitude double precision not null check (magnitude >= 0),
      told_magnitude double precision not null check (told_magnitude >= 0),
      occurrences integer not null default 1 check (occurrences >= 1),
      silent_runs integer not null default 0 check (silent_runs >= 0),
      opened_in_run text not null references runs,
      last_seen_run text not null references runs,
      opened_at timestamptz not null default now(),
      last_seen_at timestamptz not null default now(),
      acknowledged_at timestamptz,
      acknowledged_by text check (acknowledged_by <> ''),
      acknowledged_note text check (acknowledged_note <> ''),
      resolved_at timestamptz,
      resolved_by text check (resolved_by <> ''),
      resolved_note text check (resolved_note <> ''),
      check ((acknowledged_at is null) = (acknowledged_by is null)),
      check ((resolved_at is null) = (resolved_by is null)),
      check ((resolved_at is not null) = (state = 'resolved')),
      check (state <> 'acknowledged' or acknowledged_at is not null)
    );
    create unique index alerts_unresolved on alerts (pipeline, rule, subject) where state <> 'resolved';
    create index alerts_of_pipeline on alerts (pipeline, opened_at);
    comment on table alerts is 'One row per pipeline, rule and subject while unresolved, and one for each resolved.';
    comment on column alerts.subject is 'A segment, a feature, or what else tells alerts of a rule apart; empty for the run.';
    comment on column alerts.finding is 'What moved, as it was last seen; no customer ids.';
    comment on column alerts.magnitude is 'As last seen; grows as it gets worse.';
    comment on column alerts.told_magnitude is 'As last sent: worse than this by the rule''s step, it is sent again.';
    comment on column alerts.occurrences is 'Runs in which it was seen.';
    comment on column alerts.silent_runs is 'Publications since it was seen last.';

    create table alert_checks (
      run_id text not null references runs,
      moment text not null check (moment in ('held', 'published')),
      checked_at timestamptz not null default now(),
      primary key (run_id, moment)
    );
    comment on table alert_checks is 'One row per run and moment at which its rules were asked.';

    create view published_alerts as
      select a.pipeline, a.alert_id, a.rule, a.subject, a.severity, a.owner, a.state, a.title, a.occurrences,
             a.opened_in_run, a.last_seen_run, a.opened_at, a.last_seen_at
      from alerts a
      join publications u on u.run_id = a.opened_in_run
      where a.state <> 'resolved';
    comment on view published_alerts is 'One row per unresolved alert of a published run: what readers may see.';

    alter table outbox add column settings jsonb;
    alter table outbox add column not_before timestamptz;
    alter table outbox add column retry_at timestamptz;
    alter table outbox add column rests integer not null default 0 check (rests >= 0);
    comment on column outbox.settings is 'The channel as it was set when this was written; null in messages of before: that of the run''s definition.';
    comment on column outbox.not_before is 'Postponed until then; null: not.';
    comment on column outbox.retry_at is 'After a failure: when those who deliver for the pipeline try again.';
    comment on column outbox.rests is 'Times those who deliver for the pipeline failed: each makes the next rest longer.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table outbox drop column rests;
    alter table outbox drop column retry_at;
    alter table outbox drop column not_before;
    alter table outbox drop column settings;
    drop view published_alerts;
    drop table alert_checks, alerts;
  `);
}
