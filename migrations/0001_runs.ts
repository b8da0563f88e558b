import type { Knex } from 'knex';

/**
 * pipelines: one row per pipeline. runs: one per execution, kept for ever, whatever its end.
 * run_stages: one per run and stage, the run log. models: one per run that fitted one: the artifacts the
 * next run needs of this one.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table pipelines (
      name text primary key check (name <> ''),
      definition_sha256 text not null check (definition_sha256 ~ '^[0-9a-f]{64}$'),
      created_at timestamptz not null default now()
    );
    comment on table pipelines is 'One row per pipeline.';
    comment on column pipelines.definition_sha256 is 'Digest of the definition of the run opened last.';

    create table runs (
      run_id text primary key check (run_id <> ''),
      sequence bigint generated always as identity unique,
      kind text not null check (kind in ('refit', 'assign')),
      pipeline text not null references pipelines,
      as_of date,
      version integer check (version >= 1),
      seed bigint not null check (seed >= 0),
      definition jsonb not null,
      input jsonb not null,
      workflow_id text not null,
      workflow_run_id text not null,
      source_watermark timestamptz,
      rows_read bigint check (rows_read >= 0),
      outcome text check (outcome in ('published', 'held', 'rejected', 'failed', 'cancelled')),
      verdict text check (verdict in ('first', 'stable', 'drifted', 'unstable', 'refused')),
      reasons jsonb not null default '[]',
      summary json,
      manifest jsonb,
      history jsonb,
      membership_rows bigint check (membership_rows >= 0),
      membership_sha256 text check (membership_sha256 ~ '^[0-9a-f]{64}$'),
      opened_at timestamptz not null default now(),
      held_at timestamptz,
      cleaned_at timestamptz,
      closed_at timestamptz,
      check ((as_of is null) = (version is null)),
      check ((membership_rows is null) = (membership_sha256 is null)),
      check (closed_at is null or outcome is not null)
    );
    create index runs_of_pipeline on runs (pipeline, sequence);
    create index runs_of_workflow on runs (workflow_run_id);
    comment on table runs is 'One row per run; never deleted.';
    comment on column runs.sequence is 'Order in which runs were opened.';
    comment on column runs.as_of is 'Rows ordered before this midnight (UTC) count; null until the extract is read.';
    comment on column runs.version is '1 + the highest version of earlier runs of this pipeline and as_of that did not fail.';
    comment on column runs.definition is 'Reference to the frozen definition artifact.';
    comment on column runs.source_watermark is 'Newest moment in the source when it was read.';
    comment on column runs.outcome is 'Null while running; held while a person is asked.';
    comment on column runs.membership_sha256 is 'Digest of the loaded memberships: a repeated load is known by it.';
    comment on column runs.cleaned_at is 'When its rows were removed; nothing may be written for the run afterwards.';

    create table run_stages (
      run_id text not null references runs,
      stage text not null check (stage <> ''),
      attempts integer not null check (attempts >= 1),
      started_at timestamptz not null,
      duration_ms double precision not null check (duration_ms >= 0),
      row_count bigint check (row_count >= 0),
      artifact jsonb,
      primary key (run_id, stage)
    );
    comment on table run_stages is 'One row per run and stage: the run log.';
    comment on column run_stages.duration_ms is 'Milliseconds the work took when it was done, not when a retry found it.';
    comment on column run_stages.row_count is 'Rows, customers or entries, whatever the stage counts.';

    create table models (
      run_id text primary key references runs,
      pipeline text not null references pipelines,
      model_artifact jsonb not null,
      customers_artifact jsonb not null,
      labels_artifact jsonb not null,
      values_artifact jsonb not null,
      identities_artifact jsonb not null
    );
    comment on table models is 'One row per run that fitted a model: references to what the next run needs of it.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table models, run_stages, runs, pipelines');
}
