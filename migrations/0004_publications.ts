import type { Knex } from 'knex';

/**
 * publications: one row per publish; `pipelines.published_publication_id` is the pointer that readers
 * follow. outbox: one row per run, event and channel, written in the publishing transaction and delivered
 * afterwards, at least once.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table publications (
      publication_id bigint generated always as identity primary key,
      pipeline text not null references pipelines,
      run_id text not null unique references runs,
      replaced_publication_id bigint references publications,
      published_at timestamptz not null default now(),
      reviewed_by text,
      unique (pipeline, publication_id)
    );
    comment on table publications is 'One row per publish.';
    comment on column publications.replaced_publication_id is 'What readers saw before; null for the first.';
    comment on column publications.reviewed_by is 'Who let it through and why; null where no one was asked.';

    alter table pipelines add column published_publication_id bigint;
    -- Of the same pipeline, not of any: a pointer to another pipeline's run would be a silent mix-up.
    alter table pipelines add constraint pipelines_published_fkey
      foreign key (name, published_publication_id) references publications (pipeline, publication_id);
    comment on column pipelines.published_publication_id is 'What readers see; null before the first publish.';

    create table outbox (
      message_id bigint generated always as identity primary key,
      pipeline text not null references pipelines,
      run_id text not null references runs,
      event text not null check (event <> ''),
      channel text not null check (channel <> ''),
      payload jsonb not null,
      created_at timestamptz not null default now(),
      claimed_until timestamptz,
      delivered_at timestamptz,
      attempts integer not null default 0 check (attempts >= 0),
      last_error text,
      unique (run_id, event, channel)
    );
    create index outbox_undelivered on outbox (message_id) where delivered_at is null;
    comment on table outbox is 'One row per run, event and channel: what others are told.';
    comment on column outbox.claimed_until is 'Until then one deliverer works on it; later another may.';
    comment on column outbox.attempts is 'Deliveries begun.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table outbox;
    alter table pipelines drop constraint pipelines_published_fkey;
    alter table pipelines drop column published_publication_id;
    drop table publications;
  `);
}
