-- What Rollcall asks of Citus, and what Citus is documented to refuse; nothing is spread over any node.
create schema citus_double;

create table citus_double.placed (
  call serial,
  table_name regclass primary key,
  citus_table_type text not null,
  distribution_column text,
  colocation_id integer not null
);

create view citus_double.citus_tables as
  select table_name, citus_table_type, coalesce(distribution_column, '<none>') as distribution_column, colocation_id
  from citus_double.placed;
alter view citus_double.citus_tables set schema pg_catalog;

create function citus_double.columns_of(of regclass, numbers smallint[]) returns text[] language sql as
  $$ select array_agg(attname::text order by at) from unnest(numbers) with ordinality as each (number, at)
     join pg_attribute on attrelid = of and attnum = number $$;

create function citus_double.refuse_what_it_must(of regclass, key text, beside integer) returns void
language plpgsql as $$
declare
  found record;
begin
  if exists (select from citus_double.placed where table_name = of) then
    raise exception 'table % is already distributed', of;
  end if;
  if exists (select from pg_trigger where tgrelid = of and not tgisinternal) then
    raise exception 'cannot distribute relation % because it has triggers', of;
  end if;
  if exists (select from pg_attrdef where adrelid = of and pg_get_expr(adbin, adrelid) like '%nextval%') then
    raise exception 'cannot distribute relation % because it has a sequence', of;
  end if;
  if key is not null and exists (
    select from pg_index where indrelid = of and indisunique and not key = any (citus_double.columns_of(of, indkey::smallint[]))
  ) then
    raise exception 'cannot create constraint on %: UNIQUE constraints and PRIMARY KEYs must include the partition column', of;
  end if;
  for found in
    select conname, citus_table_type, colocation_id, citus_double.columns_of(conrelid, conkey) as own,
      citus_double.columns_of(confrelid, confkey) as others
    from pg_constraint left join citus_double.placed on table_name = confrelid
    where conrelid = of and contype = 'f'
  loop
    if found.citus_table_type is null then
      raise exception 'cannot create foreign key constraint %: the referenced table must be a distributed table or a reference table', found.conname;
    end if;
    continue when found.citus_table_type = 'reference';
    if key is null or found.colocation_id <> beside
       or array_position(found.own, key) is null
       or found.others[array_position(found.own, key)] <> key then
      raise exception 'cannot create foreign key constraint %: relations are not colocated or not referencing a reference table', found.conname;
    end if;
  end loop;
end $$;

create function create_reference_table(table_name regclass) returns void language plpgsql as $$
begin
  perform citus_double.refuse_what_it_must(table_name, null, null);
  insert into citus_double.placed (table_name, citus_table_type, colocation_id) values (table_name, 'reference', 1);
end $$;

create function create_distributed_table(
  table_name regclass, distribution_column text, distribution_type text default 'hash',
  colocate_with text default 'default', shard_count integer default null
) returns void language plpgsql as $$
declare
  beside integer;
begin
  if colocate_with = 'none' then
    select coalesce(max(colocation_id), 1) + 1 into beside from citus_double.placed;
  else
    select placed.colocation_id into strict beside from citus_double.placed
    where placed.table_name = colocate_with::regclass and citus_table_type = 'distributed';
  end if;
  perform citus_double.refuse_what_it_must(table_name, distribution_column, beside);
  insert into citus_double.placed (table_name, citus_table_type, distribution_column, colocation_id)
    values (table_name, 'distributed', distribution_column, beside);
end $$;
