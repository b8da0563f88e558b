import type { Knex } from 'knex';

/**
 * segments: one row per lasting id, never reused. segment_names: one per segment and version, with the
 * time it was valid. segment_snapshots: one per run and segment, what the segment was in that run.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table segments (
      segment_id text primary key check (segment_id ~ '^seg_.'),
      pipeline text not null references pipelines,
      born_in_run text not null references runs,
      parents text[] not null default '{}',
      retired_in_run text references runs
    );
    create index segments_born_in_run on segments (born_in_run);
    comment on table segments is 'One row per lasting segment id.';
    comment on column segments.parents is 'Segments it was split or merged from; empty for one that emerged.';
    comment on column segments.retired_in_run is 'The published run that no longer had it; null while it lives.';

    create table segment_names (
      segment_id text not null references segments,
      version integer not null check (version >= 1),
      run_id text references runs,
      name text not null check (name <> ''),
      description text not null,
      author text not null check (author in ('auto', 'manual')),
      reason text not null,
      condition jsonb not null,
      valid_from timestamptz,
      valid_to timestamptz check (valid_to >= valid_from),
      primary key (segment_id, version),
      unique (segment_id, run_id)
    );
    create unique index segment_names_valid on segment_names (segment_id)
      where valid_from is not null and valid_to is null;
    create index segment_names_of_run on segment_names (run_id);
    comment on table segment_names is 'One row per segment and version of its name.';
    comment on column segment_names.run_id is 'The run that gave the name; null for a person''s.';
    comment on column segment_names.condition is 'What must hold in a run for the name to be true.';
    comment on column segment_names.valid_from is 'When it was published; null while its run is not.';

    create table segment_snapshots (
      run_id text not null references runs,
      segment_id text not null references segments,
      cluster integer not null check (cluster >= 0),
      name text not null check (name <> ''),
      description text not null,
      name_status text not null check (name_status in ('holds', 'questionable')),
      event text not null check (event in ('born', 'survived', 'split', 'merged')),
      customers bigint not null check (customers >= 0),
      share double precision not null check (share between 0 and 1),
      spend_share double precision check (spend_share between 0 and 1),
      typical jsonb not null default '[]',
      profile jsonb not null,
      primary key (run_id, segment_id),
      unique (run_id, cluster),
      unique (run_id, name)
    );
    comment on table segment_snapshots is 'One row per run and segment: what it was in that run.';
    comment on column segment_snapshots.cluster is 'Label of the cluster in the run''s artifacts.';
    comment on column segment_snapshots.share is 'Share of the run''s customers.';
    comment on column segment_snapshots.spend_share is 'Share of the run''s spend; null where the pipeline has none.';
    comment on column segment_snapshots.typical is 'What sets it apart, strongest first, as sentences.';
    comment on column segment_snapshots.profile is 'Figures of the segment by feature.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table segment_snapshots, segment_names, segments');
}
