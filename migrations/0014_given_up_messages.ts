import type { Knex } from 'knex';

/** outbox: lineage that nobody takes is given up after a while, and waits no more. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table outbox add column given_up_at timestamptz;
    comment on column outbox.given_up_at is 'It is not tried any more; last_error says why. Null: it is, or was delivered.';
    drop index outbox_undelivered;
    create index outbox_undelivered on outbox (message_id) where delivered_at is null and given_up_at is null;
  `);
}

/** What was given up waits again. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index outbox_undelivered;
    create index outbox_undelivered on outbox (message_id) where delivered_at is null;
    alter table outbox drop column given_up_at;
  `);
}
