import type { Knex } from 'knex';

/**
 * A third cause of moves, and the cause of each customer's. segment_moves: one row per publication and customer
 * who is in another segment than in the publication before. Where a customer was is not copied: it is what the
 * memberships of the run before say.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table movements drop constraint movements_cause_check;
    alter table movements add constraint movements_cause_check
      check (cause in ('behaviour', 'model', 'border'));
    comment on column movements.cause is 'Behaviour: the last model would have moved them too; model: only the new one does; border: so near to a border that it may be chance.';

    alter table memberships add column move_cause text;
    -- Not of the rows there are, which have none: reading them all would keep readers waiting.
    alter table memberships add constraint memberships_move_cause_check
      check (move_cause in ('behaviour', 'model', 'border')) not valid;
    comment on column memberships.move_cause is 'Why the customer is in another segment than in the publication before; null: in no other, nothing was published before, or the run is older than this column.';

    create view segment_moves as
      with pairs as (
        select u.pipeline, u.publication_id, u.published_at, u.run_id, b.run_id as run_before
        from publications u join publications b on b.publication_id = u.replaced_publication_id)
      select p.pipeline, p.run_id, m.customer_id, before.segment_id as from_segment_id,
             m.segment_id as to_segment_id, m.move_cause as cause, p.publication_id, p.published_at
      from pairs p
      join memberships m on m.run_id = p.run_id
      left join memberships before on before.run_id = p.run_before and before.customer_id = m.customer_id
      where m.segment_id is distinct from before.segment_id
      union all
      select p.pipeline, p.run_id, before.customer_id, before.segment_id, null, 'behaviour',
             p.publication_id, p.published_at
      from pairs p
      join memberships before on before.run_id = p.run_before
      where not exists (
        select from memberships m where m.run_id = p.run_id and m.customer_id = before.customer_id);
    comment on view segment_moves is 'One row per publication and customer who is in another segment than in the publication before.';
    comment on column segment_moves.from_segment_id is 'Null: the customer is new.';
    comment on column segment_moves.to_segment_id is 'Null: the customer is lost.';
    comment on column segment_moves.cause is 'As in movements; null where it was not measured.';

    -- The same rows of one run. The view joins publications, and a join reads the memberships of all runs when
    -- it is asked for all of a run's customers; here the run before is known before anything is read.
    create function segment_moves_of(run text)
      returns table (customer_id text, from_segment_id text, to_segment_id text, cause text)
      language sql stable
      begin atomic
        select customer_id, b.segment_id, m.segment_id,
               case when m.segment_id is null then 'behaviour' else m.move_cause end
        from (select * from memberships where run_id = run) m
        full join (
          select * from memberships where run_id = (
            select before.run_id from publications u
            join publications before on before.publication_id = u.replaced_publication_id
            where u.run_id = run)) b using (customer_id)
        where m.segment_id is distinct from b.segment_id
          and exists (select from publications where run_id = run and replaced_publication_id is not null);
      end;
    comment on function segment_moves_of is 'The rows of segment_moves of one run, without reading another one.';
  `);
}

/** The movements at a border go to the model, which is where those went that the last model did not see. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop function segment_moves_of;
    drop view segment_moves;
    alter table memberships drop constraint memberships_move_cause_check;
    alter table memberships drop column move_cause;
    insert into movements (run_id, from_segment_id, to_segment_id, cause, customers, spend_cents)
      select run_id, from_segment_id, to_segment_id, 'model', customers, spend_cents
      from movements where cause = 'border'
      on conflict (run_id, from_segment_id, to_segment_id, cause) do update
        set customers = movements.customers + excluded.customers,
            spend_cents = movements.spend_cents + excluded.spend_cents;
    delete from movements where cause = 'border';
    alter table movements drop constraint movements_cause_check;
    alter table movements add constraint movements_cause_check check (cause in ('behaviour', 'model'));
    comment on column movements.cause is 'Behaviour: the last model would have moved them too; model: only the new one does.';
  `);
}
