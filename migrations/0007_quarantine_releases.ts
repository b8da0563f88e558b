import type { Knex } from 'knex';

/** quarantine_releases: one row per release; kept for ever, since the runs it was part of are to be told. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table quarantine_releases (
      release_id bigint generated always as identity primary key,
      pipeline text not null references pipelines,
      run_id text not null references runs,
      rules jsonb not null check (jsonb_typeof(rules) = 'array' and rules <> '[]'),
      where_sql text check (where_sql <> ''),
      note text check (note <> ''),
      author text not null check (author <> ''),
      released_at timestamptz not null default now(),
      row_count bigint not null check (row_count > 0),
      artifact jsonb not null,
      revoked_at timestamptz,
      revoked_by text check (revoked_by <> ''),
      check ((revoked_at is null) = (revoked_by is null))
    );
    create unique index quarantine_releases_in_force on quarantine_releases (pipeline, (artifact ->> 'sha256'))
      where revoked_at is null;
    comment on table quarantine_releases is 'One row per release: refused rows that a person found good.';
    comment on column quarantine_releases.run_id is 'The run in whose quarantine the rows were found.';
    comment on column quarantine_releases.rules is 'Names of the rules whose refusal is overruled.';
    comment on column quarantine_releases.where_sql is 'Which of the rows those rules refused; null: all of them.';
    comment on column quarantine_releases.artifact is 'Reference to the released rows; they stay when the run goes.';
    comment on column quarantine_releases.revoked_at is 'Null while the rows join every run of the pipeline.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table quarantine_releases');
}
