import type { Knex } from 'knex';

/**
 * What readers see, under names that stay: only what the pointer shows. published_runs: one row per pipeline
 * with a publication. published_segments: one per pipeline and segment. published_memberships: one per
 * pipeline and customer.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create view published_runs as
      select p.name as pipeline, r.run_id, r.kind, r.as_of, r.version, r.verdict,
             r.membership_rows as customers, u.publication_id, u.published_at, u.reviewed_by
      from pipelines p
      join publications u on u.publication_id = p.published_publication_id
      join runs r on r.run_id = u.run_id;
    comment on view published_runs is 'One row per pipeline with a publication: the run readers see.';

    create view published_segments as
      select u.pipeline, s.segment_id, coalesce(n.name, s.name) as name, s.description, s.name_status, s.event,
             s.customers, s.share, s.spend_share, s.typical, s.profile, u.run_id, u.as_of, u.published_at
      from published_runs u
      join segment_snapshots s on s.run_id = u.run_id
      left join segment_names n on n.segment_id = s.segment_id
        and n.valid_from is not null and n.valid_to is null;
    comment on view published_segments is 'One row per pipeline and published segment, under its present name.';

    create view published_memberships as
      select u.pipeline, m.customer_id, m.segment_id, m.distance, m.margin, u.run_id, u.as_of
      from published_runs u
      join memberships m on m.run_id = u.run_id;
    comment on view published_memberships is 'One row per pipeline and customer: the segment readers see.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop view published_memberships, published_segments, published_runs');
}
