-- Objects that belong to people, dictionaries, and references to people.

alter table directory.account
  add column dictionaries jsonb not null default '{}' check (jsonb_typeof(dictionaries) = 'object');

comment on column directory.account.dictionaries is 'Values of the model''s dictionary destinations: {destination: {name: value}}.';

-- Whose an object is follows from the attribute that links it to its owner; a trigger keeps the column right, also for
-- objects made by hand. It is the only column with an index of its own: attributes can change without touching one.
alter table directory.object
  add column owner bigint,
  add column origin text;

comment on column directory.object.owner is 'The object that this one belongs to, taken from its link attribute.';
comment on column directory.object.origin is 'What the sync made a dependent object for: destination and place. Null for all others.';

create index object_owner on directory.object (owner) where owner is not null;

-- Which attribute links objects of a type to their owner: from the model's dependent destinations.
create table sync.model_link (
  type      text not null,
  attribute text not null,
  primary key (type, attribute)
);

-- The next run installs the model anew, with its links.
delete from sync.model;

alter table sync.change
  -- The profile that the change makes.
  add column profile_ref bigint,
  -- Profiles that other changes of the run make, and that this one refers to.
  add column awaited bigint[];

create index change_awaited on sync.change (run_id, ordinal) where awaited is not null;

-- Plans that wait for approval have none of this: they are made again.
update sync.run set planned_version = null where status = 'held';
