import type { Knex } from 'knex';

/**
 * Who gave a name, and views that say so: published_segments tells whose name it shows and whether it holds,
 * segment_name_history has one row per segment and version of its name that was ever in force. A segment that
 * retires gives its name back: its validity ends there.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table segment_names add column given_by text check (given_by <> '');
    update segment_names set given_by = 'unknown' where author = 'manual';
    alter table segment_names add constraint segment_names_manual_given_by
      check (author <> 'manual' or given_by is not null);
    alter table segment_names add column status_when_given text
      check (status_when_given in ('holds', 'questionable'));
    comment on column segment_names.given_by is 'The person who put it in force: gave it, went back to it, or accepted a proposal; null for a run''s.';
    comment on column segment_names.status_when_given is 'Whether its condition held then, by the figures readers saw; null for a run''s, which says so in its snapshot.';

    update segment_names n set valid_to = greatest(n.valid_from, u.published_at)
    from segments s join publications u on u.run_id = s.retired_in_run
    where n.segment_id = s.segment_id and n.valid_from is not null and n.valid_to is null;

    create or replace view published_segments as
      select u.pipeline, s.segment_id, coalesce(n.name, s.name) as name, s.description,
             -- A run judges the name it found. One given since was judged when it was given; a person's own claims nothing.
             case when n.author = 'manual' then 'holds'
                  when n.status_when_given is not null and (n.valid_from > u.published_at or n.name <> s.name)
                    then n.status_when_given
                  else s.name_status end as name_status,
             s.event, s.customers, s.share, s.spend_share, s.typical, s.profile, u.run_id, u.as_of,
             u.published_at, n.version as name_version, n.author as name_author, n.given_by as name_given_by,
             n.valid_from as name_since
      from published_runs u
      join segment_snapshots s on s.run_id = u.run_id
      left join segment_names n on n.segment_id = s.segment_id
        and n.valid_from is not null and n.valid_to is null;

    create view segment_name_history as
      select s.pipeline, n.segment_id, n.version, n.name, n.author, n.given_by, n.reason, n.valid_from, n.valid_to
      from segment_names n
      join segments s on s.segment_id = n.segment_id
      where n.valid_from is not null;
    comment on view segment_name_history is 'One row per segment and version of its name that was in force: from when to when, by whom and why.';
    comment on column segment_name_history.valid_to is 'Null: in force. A segment that retired has none in force.';
  `);
}

/** Who gave a name is not kept before; of a retired segment the last name is told as in force again. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop view segment_name_history;
    drop view published_segments;
    create view published_segments as
      select u.pipeline, s.segment_id, coalesce(n.name, s.name) as name, s.description, s.name_status, s.event,
             s.customers, s.share, s.spend_share, s.typical, s.profile, u.run_id, u.as_of, u.published_at
      from published_runs u
      join segment_snapshots s on s.run_id = u.run_id
      left join segment_names n on n.segment_id = s.segment_id
        and n.valid_from is not null and n.valid_to is null;
    comment on view published_segments is 'One row per pipeline and published segment, under its present name.';
    update segment_names n set valid_to = null
    where n.valid_from is not null
      and exists (select from segments s where s.segment_id = n.segment_id and s.retired_in_run is not null)
      and not exists (select from segment_names later
                      where later.segment_id = n.segment_id and later.version > n.version and later.valid_from is not null);
    alter table segment_names drop column status_when_given;
    alter table segment_names drop constraint segment_names_manual_given_by;
    alter table segment_names drop column given_by;
  `);
}
