
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA directory;

COMMENT ON SCHEMA directory IS 'Users, their profiles and groups. Stable: applications read it.';

CREATE SCHEMA sync;

COMMENT ON SCHEMA sync IS 'Private to user-sync. Applications read the schema directory.';

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE sync.change (
    run_id bigint NOT NULL,
    ordinal integer NOT NULL,
    kind text NOT NULL,
    username text NOT NULL COLLATE pg_catalog."C",
    account_id bigint,
    digest uuid,
    withheld boolean DEFAULT false NOT NULL,
    before jsonb,
    after jsonb NOT NULL,
    profile_ref bigint,
    awaited bigint[],
    repeated boolean DEFAULT false NOT NULL,
    CONSTRAINT change_kind_check CHECK ((kind = ANY (ARRAY['add'::text, 'update'::text, 'block'::text, 'unblock'::text])))
)
WITH (toast_tuple_target='4080');

CREATE TABLE sync.run (
    id bigint NOT NULL,
    feed_id smallint NOT NULL,
    status text DEFAULT 'uploading'::text NOT NULL,
    kind text DEFAULT 'batch'::text NOT NULL,
    source text NOT NULL,
    dry_run boolean DEFAULT false NOT NULL,
    force boolean DEFAULT false NOT NULL,
    control_id bigint,
    model_digest text,
    planned_version bigint,
    applied boolean DEFAULT false NOT NULL,
    outcome text,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    value_counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    guards jsonb DEFAULT '[]'::jsonb NOT NULL,
    timings jsonb DEFAULT '{}'::jsonb NOT NULL,
    error_count bigint DEFAULT 0 NOT NULL,
    failure_code text,
    failure_message text,
    approved_by text,
    approved_at timestamp with time zone,
    approval_reason text,
    without_blocks boolean DEFAULT false NOT NULL,
    cancel_requested boolean DEFAULT false NOT NULL,
    publication bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    of_run bigint,
    collected boolean DEFAULT false NOT NULL,
    queued boolean DEFAULT false NOT NULL,
    progress jsonb,
    rejected_by jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT run_kind_check CHECK ((kind = ANY (ARRAY['batch'::text, 'reapply'::text, 'revert'::text]))),
    CONSTRAINT run_outcome_check CHECK ((outcome = ANY (ARRAY['applied'::text, 'nothing-new'::text, 'nothing-to-change'::text, 'dry-run'::text]))),
    CONSTRAINT run_status_check CHECK ((status = ANY (ARRAY['uploading'::text, 'ready'::text, 'planning'::text, 'held'::text, 'applying'::text, 'complete'::text, 'failed'::text, 'cancelled'::text])))
);

CREATE VIEW directory.changes AS
 SELECT ((run.publication << 32) + change.ordinal) AS id,
    run.finished_at AS at,
    run.id AS run,
    change.username,
    change.kind,
    change.before,
    change.after
   FROM (sync.run
     JOIN sync.change ON ((change.run_id = run.id)))
  WHERE ((run.publication IS NOT NULL) AND (NOT change.withheld));

COMMENT ON VIEW directory.changes IS 'Append-only log of what the sync changed. NOTIFY directory_changes tells of more.';

CREATE FUNCTION directory.changes_after(after_id bigint, max_rows integer DEFAULT 1000) RETURNS SETOF directory.changes
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select changes.*
  from (
    select run.id, run.publication
    from sync.run
    where run.publication >= after_id >> 32
    order by run.publication
  ) as later
  cross join lateral (
    select (later.publication << 32) + change.ordinal as id, run.finished_at as at, run.id as run,
           change.username::text as username, change.kind, change.before, change.after
    from sync.change
    join sync.run on run.id = change.run_id
    where change.run_id = later.id
      and not change.withheld
      and (later.publication << 32) + change.ordinal > after_id
    order by change.ordinal
  ) as changes
  order by changes.id
  limit max_rows
$$;

COMMENT ON FUNCTION directory.changes_after(after_id bigint, max_rows integer) IS 'The changes after an id, oldest first, at most max_rows.';

CREATE FUNCTION directory.note_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
begin
  new.owner := (
    select (entry -> 'value' ->> 'ref')::bigint
    from sync.model_link
    cross join lateral jsonb_array_elements(
      case when jsonb_typeof(new.attributes -> model_link.attribute) = 'array'
           then new.attributes -> model_link.attribute else '[]' end) as entry
    where model_link.type = any (new.types) and entry -> 'value' ->> 'ref' ~ '^[1-9][0-9]{0,17}$'
    limit 1
  );
  return new;
end
$_$;

CREATE FUNCTION directory.note_write() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  perform nextval('directory.version');
  return null;
end
$$;

CREATE FUNCTION sync.forget_accounts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  delete from sync.feed_user using gone where feed_user.account_id = gone.id;
  return null;
end
$$;

CREATE FUNCTION sync.forget_all_accounts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  delete from sync.feed_user;
  return null;
end
$$;

CREATE FUNCTION sync.merged_attributes(existing jsonb, given jsonb, dropped jsonb, first_of text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
declare
  result jsonb := existing || given;
  attribute text;
  rule jsonb;
begin
  for attribute, rule in select * from jsonb_each(dropped) loop
    if jsonb_typeof(rule) = 'array' then
      result := result || jsonb_build_object(attribute, sync.merged_values(
        coalesce(existing -> attribute, '[]'), coalesce(given -> attribute, '[]'), rule,
        case when attribute = first_of then 1 else 0 end));
    elsif not given ? attribute then
      result := result - attribute;
    end if;
    if result -> attribute = '[]' then
      result := result - attribute;
    end if;
  end loop;
  return result;
end
$$;

CREATE FUNCTION sync.merged_dictionaries(existing jsonb, given jsonb, dropped jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_object_agg(dictionary, merged) filter (where merged <> '{}'), '{}')
  from (
    select dictionary,
           (coalesce(existing -> dictionary, '{}') || coalesce(given -> dictionary, '{}'))
             - array(select jsonb_array_elements_text(dropped -> dictionary)) as merged
    from (
      select jsonb_object_keys(existing) union select jsonb_object_keys(coalesce(given, '{}'))
    ) as known (dictionary)
  ) as merged_dictionary
$$;

CREATE FUNCTION sync.merged_profile(existing jsonb, given jsonb, dropped jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
declare
  title constant text := 'dc:attribute:title';
begin
  if not coalesce(dropped, '{}') ? title and jsonb_typeof(existing -> title) = 'array'
     and existing -> title <> coalesce(given -> title, '[]') then
    dropped := coalesce(dropped, '{}') || jsonb_build_object(title, '[null]'::jsonb);
  end if;
  return sync.merged_attributes(existing, given, dropped, title);
end
$$;

CREATE FUNCTION sync.merged_values(existing jsonb, given jsonb, dropped jsonb, lead integer) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_agg(entry order by place), '[]')
  from (
    select entry, min(place) as place
    from (
      select entry, case when position <= lead then position else position + 2000000 end as place
      from jsonb_array_elements(given) with ordinality as given_values (entry, position)
      union all
      select entry, position + 1000000
      from jsonb_array_elements(case when jsonb_typeof(existing) = 'array' then existing else '[]' end)
        with ordinality as existing_values (entry, position)
      where not dropped @> coalesce(entry -> 'qualifier', 'null'::jsonb)
    ) as all_values
    group by entry
  ) as distinct_values
$$;

CREATE TABLE sync.override (
    id bigint NOT NULL,
    username text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    name text,
    value jsonb,
    reason text NOT NULL,
    made_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    until timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT override_check CHECK (((kind = 'pin'::text) = (name IS NOT NULL))),
    CONSTRAINT override_kind_check CHECK ((kind = ANY (ARRAY['pin'::text, 'protect'::text])))
);

CREATE FUNCTION sync.overrides_at(moment timestamp with time zone) RETURNS SETOF sync.override
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select * from sync.override
  where created_at <= moment and coalesce(until, 'infinity') > moment and coalesce(ended_at, 'infinity') > moment
$$;

CREATE FUNCTION sync.pinned(mapped jsonb, pins jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with given as (
    select (mapped -> 'user') || pins as person
  )
  select mapped
    || jsonb_build_object('user', person)
    || jsonb_build_object('profile', (mapped -> 'profile')
         || jsonb_build_object('std:attribute:email', jsonb_build_array(jsonb_build_object('value', person -> 'email')))
         || jsonb_build_object('dc:attribute:title',
              jsonb_build_array(jsonb_build_object('value', jsonb_strip_nulls(jsonb_build_object(
                'title', person -> 'title', 'first', person -> 'nameFirst', 'last', person -> 'nameLast'))))
              || coalesce((mapped -> 'profile' -> 'dc:attribute:title') - 0, '[]')))
    || case when pins ? 'groups' then
         jsonb_build_object('types', (
           select coalesce(jsonb_agg(type_active order by place), '["std:type:person"]')
           from (select type_active, min(position) as place from directory.user_group
                 where type_active is not null and code in (select jsonb_array_elements_text(pins -> 'groups'))
                 group by type_active) as type))
       else '{}' end
  from given
$$;

CREATE FUNCTION sync.still_holds(state jsonb, before jsonb, after jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
declare
  section text;
  name text;
  ref text;
begin
  for section in select jsonb_object_keys(before || after) loop
    if section = 'types' then
      if not (state -> 'types' @> coalesce(after -> 'types', state -> 'types')
              and coalesce(after -> 'types', state -> 'types') @> (state -> 'types')) then
        return false;
      end if;
    elsif section = 'dependents' then
      for ref in select jsonb_object_keys(after -> 'dependents') loop
        for name in select jsonb_object_keys(coalesce(before -> 'dependents' -> ref -> 'attributes', '{}')
                                             || (after -> 'dependents' -> ref -> 'attributes')) loop
          if state -> 'dependents' -> ref -> 'attributes' -> name
             is distinct from after -> 'dependents' -> ref -> 'attributes' -> name then
            return false;
          end if;
        end loop;
      end loop;
    else
      for name in select jsonb_object_keys(coalesce(before -> section, '{}') || coalesce(after -> section, '{}')) loop
        if section = 'user' and name = 'groups' then
          if not (state -> 'user' -> 'groups' @> (after -> 'user' -> 'groups')
                  and after -> 'user' -> 'groups' @> (state -> 'user' -> 'groups')) then
            return false;
          end if;
        elsif coalesce(state -> section -> name, 'null') <> coalesce(after -> section -> name, 'null') then
          return false;
        end if;
      end loop;
    end if;
  end loop;
  return true;
end
$$;

CREATE FUNCTION sync.taken_back(mine jsonb, other jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
  select case when not (mine ? 'dependents' or other ? 'dependents') then mine
    else mine || jsonb_build_object('dependents', (
      select jsonb_object_agg(ref, case
        when mine -> 'dependents' ? ref then mine -> 'dependents' -> ref
        else jsonb_build_object('destination', other -> 'dependents' -> ref -> 'destination', 'removed', true) end)
      from jsonb_object_keys(coalesce(mine -> 'dependents', '{}') || coalesce(other -> 'dependents', '{}')) as ref)) end
$$;

CREATE FUNCTION sync.watch_links(linked_types text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  drop trigger if exists note_owner on directory.object;
  if cardinality(linked_types) > 0 then
    execute format(
      'create trigger note_owner before insert or update of types, attributes on directory.object
       for each row when (new.types && %L::text[]) execute function directory.note_owner()', linked_types);
  end if;
end
$$;

CREATE FUNCTION sync.with_people(given jsonb, places jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
declare
  result jsonb := given - 'people';
  place jsonb;
  at text[];
  section text[];
  rule text[];
  list text[];
  qualifier text;
begin
  for place in select value from jsonb_array_elements(places) loop
    at := array(select jsonb_array_elements_text(place -> 'at'));
    if place ->> 'ref' is not null then
      result := jsonb_set(result, at || array['value'], jsonb_build_object('ref', place ->> 'ref'));
      continue;
    end if;
    section := case when at[1] = 'profile' then at[1:1] else at[1:3] end;
    rule := case when at[1] = 'profile' then array['drop', 'profile', at[2]] else at[1:2] || array['drop', at[4]] end;
    list := section || at[cardinality(section) + 1];
    qualifier := result #>> (at || array['qualifier']);
    result := result #- at;
    while cardinality(at) > cardinality(section) + 1 loop
      at := at[1:cardinality(at) - 1];
      exit when result #> at not in ('[]', '{}');
      result := result #- at;
    end loop;
    if qualifier is not null and jsonb_typeof(result #> rule) = 'array'
       and not coalesce(result #> list, '[]') @> jsonb_build_array(jsonb_build_object('qualifier', qualifier)) then
      result := jsonb_set(result, rule, (result #> rule) - qualifier);
    end if;
  end loop;
  return result;
end
$$;

CREATE FUNCTION sync.without_refs(whole jsonb, refs text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
  if jsonb_typeof(whole) = 'object' then
    return (
      select coalesce(jsonb_object_agg(key, rest), '{}')
      from (select key, value, sync.without_refs(value, refs) as rest from jsonb_each(whole)) as member
      where value = '[]' or rest is distinct from '[]'
    );
  elsif jsonb_typeof(whole) = 'array' then
    return (
      select coalesce(jsonb_agg(sync.without_refs(value, refs) order by position), '[]')
      from jsonb_array_elements(whole) with ordinality as element (value, position)
      where jsonb_typeof(value) <> 'object' or not coalesce(value -> 'value' ->> 'ref' = any (refs), false)
    );
  end if;
  return whole;
end
$$;

CREATE TABLE directory.account (
    id bigint NOT NULL,
    email text NOT NULL,
    title text,
    name_first text,
    name_last text,
    is_active boolean DEFAULT true NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL,
    profile_ref bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    dictionaries jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT account_dictionaries_check CHECK ((jsonb_typeof(dictionaries) = 'object'::text)),
    CONSTRAINT account_tags_check CHECK ((jsonb_typeof(tags) = 'object'::text))
);

COMMENT ON TABLE directory.account IS 'Everyone who has an account. An insert of email and names makes an account by hand, which the sync never alters.';

COMMENT ON COLUMN directory.account.dictionaries IS 'Values of the model''s dictionary destinations: {destination: {name: value}}.';

ALTER TABLE directory.account ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME directory.account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE directory.membership (
    account_id bigint NOT NULL,
    group_code text NOT NULL
);

CREATE TABLE directory.object (
    ref bigint NOT NULL,
    types text[] DEFAULT '{}'::text[] NOT NULL,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    owner bigint,
    origin text,
    CONSTRAINT object_attributes_check CHECK ((jsonb_typeof(attributes) = 'object'::text))
);

COMMENT ON TABLE directory.object IS 'Profiles of people and classification objects. attributes: {code: [{"value": …, "qualifier"?: …}]}.';

COMMENT ON COLUMN directory.object.owner IS 'The object that this one belongs to, taken from its link attribute.';

COMMENT ON COLUMN directory.object.origin IS 'What the sync made a dependent object for: destination and place. Null for all others.';

ALTER TABLE directory.object ALTER COLUMN ref ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME directory.object_ref_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE directory.user_group (
    code text NOT NULL,
    name text NOT NULL,
    managed boolean DEFAULT false NOT NULL,
    type_active text,
    type_past text,
    "position" integer DEFAULT 0 NOT NULL
);

COMMENT ON TABLE directory.user_group IS 'Groups. The sync sets membership of managed groups exactly and leaves all others alone.';

CREATE TABLE sync.feed (
    id smallint NOT NULL,
    name text NOT NULL,
    control_id bigint,
    lease_holder text,
    lease_token bigint DEFAULT 0 NOT NULL,
    lease_expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    duty_holder text,
    duty_token bigint DEFAULT 0 NOT NULL,
    duty_expires_at timestamp with time zone,
    alarmed_for timestamp with time zone,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    settings_origin jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE sync.feed_user (
    username text NOT NULL COLLATE pg_catalog."C",
    feed_id smallint NOT NULL,
    account_id bigint NOT NULL,
    digest uuid,
    in_feed boolean NOT NULL,
    in_error boolean DEFAULT false NOT NULL,
    since_run bigint NOT NULL,
    changed_run bigint NOT NULL,
    look_again boolean DEFAULT false NOT NULL,
    missing_since timestamp with time zone,
    missing_runs integer DEFAULT 0 NOT NULL
)
WITH (fillfactor='85');

CREATE VIEW directory.users AS
 SELECT account.id,
    feed_user.username,
    feed.name AS feed,
    account.email,
    account.title,
    account.name_first,
    account.name_last,
    account.is_active,
    COALESCE(feed_user.in_feed, false) AS in_feed,
    COALESCE(( SELECT array_agg(membership.group_code ORDER BY (membership.group_code COLLATE "C")) AS array_agg
           FROM directory.membership
          WHERE (membership.account_id = account.id)), '{}'::text[]) AS groups,
    account.tags,
    account.profile_ref,
    COALESCE(object.types, '{}'::text[]) AS profile_types,
    COALESCE(object.attributes, '{}'::jsonb) AS profile,
    account.created_at,
    GREATEST(account.updated_at, object.updated_at) AS updated_at,
    account.dictionaries
   FROM (((directory.account
     LEFT JOIN sync.feed_user ON ((feed_user.account_id = account.id)))
     LEFT JOIN sync.feed ON ((feed.id = feed_user.feed_id)))
     LEFT JOIN directory.object ON ((object.ref = account.profile_ref)));

COMMENT ON VIEW directory.users IS 'Everyone, with groups and profile. username and feed are null for accounts not made by the sync.';

CREATE SEQUENCE directory.version
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE sync.api_key (
    id bigint NOT NULL,
    name text NOT NULL,
    scope text NOT NULL,
    feed text,
    digest bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    revoked_by text,
    last_used_at timestamp with time zone,
    CONSTRAINT api_key_scope_check CHECK ((scope = ANY (ARRAY['upload'::text, 'read'::text, 'operate'::text, 'admin'::text])))
);

ALTER TABLE sync.api_key ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.api_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sync.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    address text
);

ALTER TABLE sync.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sync.chunk (
    run_id bigint NOT NULL,
    first_ordinal integer NOT NULL,
    last_ordinal integer NOT NULL,
    is_block boolean NOT NULL,
    applied_at timestamp with time zone
);

CREATE TABLE sync.control_file (
    id bigint NOT NULL,
    feed_id smallint NOT NULL,
    digest text NOT NULL,
    content text NOT NULL,
    source text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE sync.control_file ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.control_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE sync.feed ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.feed_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sync.migration (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE sync.model (
    only_one boolean DEFAULT true NOT NULL,
    digest text NOT NULL,
    installed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT model_only_one_check CHECK (only_one)
);

CREATE TABLE sync.model_link (
    type text NOT NULL,
    attribute text NOT NULL
);

CREATE TABLE sync.model_object (
    behaviour text NOT NULL,
    ref bigint NOT NULL
);

CREATE TABLE sync.operator (
    id bigint NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    password text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    failed_sign_ins integer DEFAULT 0 NOT NULL,
    locked_until timestamp with time zone,
    CONSTRAINT operator_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'admin'::text])))
);

ALTER TABLE sync.operator ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.operator_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE sync.override ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.override_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE SEQUENCE sync.publication
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE sync.received (
    username text NOT NULL COLLATE pg_catalog."C",
    feed_id smallint NOT NULL,
    run_id bigint NOT NULL,
    file text NOT NULL,
    record integer NOT NULL,
    line integer NOT NULL,
    byte bigint NOT NULL,
    accepted boolean NOT NULL,
    raw text NOT NULL
);

CREATE TABLE sync.run_file (
    run_id bigint NOT NULL,
    name text NOT NULL,
    digest text NOT NULL,
    size_bytes bigint NOT NULL,
    original_filename text NOT NULL,
    source text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE sync.run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sync.run_log (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    level text NOT NULL,
    code text,
    message text NOT NULL,
    username text,
    file text,
    record integer,
    line integer,
    byte bigint,
    source text,
    value text,
    CONSTRAINT run_log_level_check CHECK ((level = ANY (ARRAY['info'::text, 'warn'::text, 'error'::text])))
);

ALTER TABLE sync.run_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sync.run_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE sync.run_transition (
    run_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    from_status text,
    to_status text NOT NULL,
    actor text NOT NULL,
    note text
);

CREATE TABLE sync.session (
    digest bytea NOT NULL,
    operator_id bigint NOT NULL,
    csrf text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE UNLOGGED TABLE sync.stage_2 (
    seq integer NOT NULL,
    file smallint NOT NULL,
    record integer NOT NULL,
    line integer NOT NULL,
    byte bigint NOT NULL,
    username text NOT NULL COLLATE pg_catalog."C",
    digest uuid,
    in_error boolean NOT NULL,
    mapped text,
    raw text NOT NULL
)
WITH (toast_tuple_target='8160', autovacuum_enabled='false');

CREATE UNLOGGED TABLE sync.stage_3 (
    seq integer NOT NULL,
    file smallint NOT NULL,
    record integer NOT NULL,
    line integer NOT NULL,
    byte bigint NOT NULL,
    username text NOT NULL COLLATE pg_catalog."C",
    digest uuid,
    in_error boolean NOT NULL,
    mapped text,
    raw text NOT NULL
)
WITH (toast_tuple_target='8160', autovacuum_enabled='false');

INSERT INTO directory.account VALUES (1, 'ada@example.org', 'Dr', 'Ada', 'Lovelace', true, '{"example:tag:card-number": "1ada"}', 6, '2026-11-25 14:51:40.219396+00', '2026-11-25 14:51:40.219396+00', '{}');
INSERT INTO directory.account VALUES (2, 'bob@example.org', 'Dr', 'Bob', 'Öz', true, '{"example:tag:card-number": "1bob"}', 4, '2026-11-25 14:51:40.219396+00', '2026-11-25 14:51:40.219396+00', '{}');
INSERT INTO directory.account VALUES (3, 'cy@example.org', 'Dr', 'Cy', 'Twombly', true, '{"example:tag:card-number": "1cy"}', 7, '2026-11-25 14:51:40.219396+00', '2026-11-25 14:51:40.219396+00', '{}');
INSERT INTO directory.account VALUES (4, 'dan@example.org', 'Dr', 'Dan', 'Brown', false, '{"example:tag:card-number": "1dan"}', 5, '2026-11-25 14:51:40.219396+00', '2026-11-25 14:51:41.07054+00', '{}');
INSERT INTO directory.account VALUES (5, 'guest@example.org', NULL, 'Gast', 'Hand', true, '{}', NULL, '2026-11-25 14:51:41.145985+00', '2026-11-25 14:51:41.145985+00', '{}');

INSERT INTO directory.membership VALUES (1, 'example:group:staff');
INSERT INTO directory.membership VALUES (2, 'example:group:students');
INSERT INTO directory.membership VALUES (3, 'example:group:students');
INSERT INTO directory.membership VALUES (4, 'example:group:staff');
INSERT INTO directory.membership VALUES (1, 'example:group:reviewers');
INSERT INTO directory.membership VALUES (5, 'example:group:reviewers');

INSERT INTO directory.object VALUES (1, '{std:type:organisation}', '{"dc:attribute:title": [{"value": "Faculty of Science"}], "std:attribute:configured-behaviour": [{"value": "example:org:science"}]}', '2026-11-25 14:51:39.968655+00', '2026-11-25 14:51:39.968655+00', NULL, NULL);
INSERT INTO directory.object VALUES (2, '{std:type:organisation}', '{"dc:attribute:title": [{"value": "Faculty of Arts"}], "std:attribute:configured-behaviour": [{"value": "example:org:arts"}]}', '2026-11-25 14:51:39.968655+00', '2026-11-25 14:51:39.968655+00', NULL, NULL);
INSERT INTO directory.object VALUES (3, '{std:type:organisation}', '{"dc:attribute:title": [{"value": "University Library"}], "std:attribute:configured-behaviour": [{"value": "example:org:library"}]}', '2026-11-25 14:51:39.968655+00', '2026-11-25 14:51:39.968655+00', NULL, NULL);
INSERT INTO directory.object VALUES (4, '{std:type:person:student}', '{"dc:attribute:title": [{"value": {"last": "Öz", "first": "Bob", "title": "Dr"}}], "std:attribute:email": [{"value": "bob@example.org"}]}', '2026-11-25 14:51:40.219396+00', '2026-11-25 14:51:40.219396+00', NULL, NULL);
INSERT INTO directory.object VALUES (7, '{std:type:person:student}', '{"dc:attribute:title": [{"value": {"last": "Twombly", "first": "Cy", "title": "Dr"}}], "std:attribute:email": [{"value": "cy@example.org"}]}', '2026-11-25 14:51:40.219396+00', '2026-11-25 14:51:40.219396+00', NULL, NULL);
INSERT INTO directory.object VALUES (6, '{std:type:person:staff}', '{"dc:attribute:title": [{"value": {"last": "Lovelace", "first": "Ada", "title": "Dr"}}], "std:attribute:email": [{"value": "ada@example.org"}], "std:attribute:job-title": [{"value": "Professor"}]}', '2026-11-25 14:51:40.219396+00', '2026-11-25 14:51:41.070489+00', NULL, NULL);
INSERT INTO directory.object VALUES (5, '{std:type:person:staff-past}', '{"dc:attribute:title": [{"value": {"last": "Brown", "first": "Dan", "title": "Dr"}}], "std:attribute:email": [{"value": "dan@example.org"}], "std:attribute:job-title": [{"value": "Clerk"}]}', '2026-11-25 14:51:40.219396+00', '2026-11-25 14:51:41.07054+00', NULL, NULL);

INSERT INTO directory.user_group VALUES ('example:group:staff', 'Staff', true, 'std:type:person:staff', 'std:type:person:staff-past', 0);
INSERT INTO directory.user_group VALUES ('example:group:students', 'Students', true, 'std:type:person:student', 'std:type:person:student-past', 1);
INSERT INTO directory.user_group VALUES ('example:group:reviewers', 'Reviewers', false, NULL, NULL, 2);

INSERT INTO sync.api_key OVERRIDING SYSTEM VALUE VALUES (1, 'school office', 'upload', NULL, '\xb866cbf710f2abc3a6ad653e1cbe72f041f55e171317bae84e91d78745a05c5f', '2026-11-25 14:51:42.650602+00', 'command line', NULL, NULL, NULL, NULL);

INSERT INTO sync.audit OVERRIDING SYSTEM VALUE VALUES (1, '2026-11-25 14:51:42.652517+00', 'command line', 'key-created', 'key school office', '{"id": 1, "feed": null, "scope": "upload", "expiresAt": null}', NULL);
INSERT INTO sync.audit OVERRIDING SYSTEM VALUE VALUES (2, '2026-11-25 14:51:43.610649+00', 'command line', 'operator-added', 'ida', '{"role": "admin"}', NULL);

INSERT INTO sync.change VALUES (1, 0, 'add', 'ada', NULL, '02aba202-450d-d3e2-e983-01cc3935fd35', false, NULL, '{"tags": {"example:tag:card-number": "1ada"}, "user": {"email": "ada@example.org", "title": "Dr", "groups": ["example:group:staff"], "nameLast": "Lovelace", "nameFirst": "Ada"}, "types": ["std:type:person:staff"], "profile": {"dc:attribute:title": [{"value": {"last": "Lovelace", "first": "Ada", "title": "Dr"}}], "std:attribute:email": [{"value": "ada@example.org"}], "std:attribute:job-title": [{"value": "Reader"}]}}', 6, NULL, false);
INSERT INTO sync.change VALUES (1, 2, 'add', 'cy', NULL, '48d54bad-e352-7214-df78-7c2967495d33', false, NULL, '{"tags": {"example:tag:card-number": "1cy"}, "user": {"email": "cy@example.org", "title": "Dr", "groups": ["example:group:students"], "nameLast": "Twombly", "nameFirst": "Cy"}, "types": ["std:type:person:student"], "profile": {"dc:attribute:title": [{"value": {"last": "Twombly", "first": "Cy", "title": "Dr"}}], "std:attribute:email": [{"value": "cy@example.org"}]}}', 7, NULL, false);
INSERT INTO sync.change VALUES (1, 1, 'add', 'bob', NULL, '63f2b1d5-6aee-63dd-1c64-e7071f00793c', false, NULL, '{"tags": {"example:tag:card-number": "1bob"}, "user": {"email": "bob@example.org", "title": "Dr", "groups": ["example:group:students"], "nameLast": "Öz", "nameFirst": "Bob"}, "types": ["std:type:person:student"], "profile": {"dc:attribute:title": [{"value": {"last": "Öz", "first": "Bob", "title": "Dr"}}], "std:attribute:email": [{"value": "bob@example.org"}]}}', 4, NULL, false);
INSERT INTO sync.change VALUES (1, 3, 'add', 'dan', NULL, '20cf527d-f427-0f52-48c9-44cfaa3edc03', false, NULL, '{"tags": {"example:tag:card-number": "1dan"}, "user": {"email": "dan@example.org", "title": "Dr", "groups": ["example:group:staff"], "nameLast": "Brown", "nameFirst": "Dan"}, "types": ["std:type:person:staff"], "profile": {"dc:attribute:title": [{"value": {"last": "Brown", "first": "Dan", "title": "Dr"}}], "std:attribute:email": [{"value": "dan@example.org"}], "std:attribute:job-title": [{"value": "Clerk"}]}}', 5, NULL, false);
INSERT INTO sync.change VALUES (2, 0, 'update', 'ada', 1, 'acf8aede-7770-2d5f-8b29-2a38605906f3', false, '{"profile": {"std:attribute:job-title": [{"value": "Reader"}]}}', '{"profile": {"std:attribute:job-title": [{"value": "Professor"}]}}', NULL, NULL, false);
INSERT INTO sync.change VALUES (2, 4, 'block', 'dan', 4, NULL, false, '{"user": {"isActive": true}, "types": ["std:type:person:staff"]}', '{"user": {"isActive": false}, "types": ["std:type:person:staff-past"]}', NULL, NULL, false);
INSERT INTO sync.change VALUES (3, 3, 'add', 'fay', NULL, 'b538e52a-cae9-053b-1696-fdc65a3fbe60', false, NULL, '{"tags": {"example:tag:card-number": "1fay"}, "user": {"email": "fay@example.org", "title": "Dr", "groups": ["example:group:students"], "nameLast": "Wray", "nameFirst": "Fay"}, "types": ["std:type:person:student"], "profile": {"dc:attribute:title": [{"value": {"last": "Wray", "first": "Fay", "title": "Dr"}}], "std:attribute:email": [{"value": "fay@example.org"}]}}', 8, NULL, false);
INSERT INTO sync.change VALUES (3, 0, 'update', 'ada', 1, '0c2b04ce-f54a-1f71-95c1-55df9d0316cb', false, '{"user": {"title": "Dr"}, "profile": {"dc:attribute:title": [{"value": {"last": "Lovelace", "first": "Ada", "title": "Dr"}}]}}', '{"user": {"title": "Prof"}, "profile": {"dc:attribute:title": [{"value": {"last": "Lovelace", "first": "Ada", "title": "Prof"}}]}}', NULL, NULL, false);
INSERT INTO sync.change VALUES (3, 1, 'update', 'bob', 2, '81623071-b438-4fb5-1148-1e31caa25f91', false, '{"user": {"groups": ["example:group:students"]}, "types": ["std:type:person:student"]}', '{"user": {"groups": ["example:group:staff"]}, "types": ["std:type:person:staff"]}', NULL, NULL, false);

INSERT INTO sync.chunk VALUES (1, 0, 3, false, '2026-11-25 14:51:40.226127+00');
INSERT INTO sync.chunk VALUES (2, 0, 0, false, '2026-11-25 14:51:41.080198+00');
INSERT INTO sync.chunk VALUES (2, 4, 4, true, '2026-11-25 14:51:41.082622+00');
INSERT INTO sync.chunk VALUES (3, 0, 3, false, NULL);

INSERT INTO sync.control_file OVERRIDING SYSTEM VALUE VALUES (1, 1, '26da85adf2cfefd8bd3d583c8c13cd16fd14abbac2dc6b87f1a0c4641158dd57', '{
  "dataImportControlFileVersion": 0,
  "model": "haplo:user-sync",
  "files": {
    "users": { "read": "json" }
  },
  "instructions": [
    { "source": "USERNAME", "destination": "user", "name": "username" },
    { "source": "TITLE", "destination": "user", "name": "title" },
    { "source": "FIRST_NAME", "destination": "user", "name": "nameFirst" },
    { "source": "LAST_NAME", "destination": "user", "name": "nameLast" },
    { "source": "EMAIL", "destination": "user", "name": "email", "filters": ["haplo:to-lower-case"] },
    {
      "source": "ROLE",
      "destination": "user",
      "name": "groups",
      "multivalue": true,
      "mapInputValue": {
        "staff": "example:group:staff",
        "student": "example:group:students"
      }
    },
    { "action": "remove-values", "destination": "profile", "name": "std:attribute:job-title" },
    { "source": "JOB_TITLE", "destination": "profile", "name": "std:attribute:job-title" },
    { "action": "remove-values", "destination": "profile", "name": "std:attribute:telephone" },
    {
      "source": "PHONE",
      "destination": "profile",
      "name": "std:attribute:telephone",
      "qualifier": "std:qualifier:office",
      "country": "GB"
    },
    {
      "source": "HOMEPAGE",
      "destination": "profile",
      "name": "std:attribute:url",
      "filters": ["haplo:fix-up-url"]
    },
    { "source": "CARD", "destination": "user:tags", "name": "example:tag:card-number" }
  ]
}
', 'command line', '2026-11-25 14:51:39.901168+00');

INSERT INTO sync.feed OVERRIDING SYSTEM VALUE VALUES (1, 'default', 1, NULL, 3, NULL, '2026-11-25 14:51:39.899858+00', NULL, 0, NULL, NULL, '{}', '{}');

INSERT INTO sync.feed_user VALUES ('bob', 1, 2, '63f2b1d5-6aee-63dd-1c64-e7071f00793c', true, false, 1, 1, false, NULL, 0);
INSERT INTO sync.feed_user VALUES ('cy', 1, 3, '48d54bad-e352-7214-df78-7c2967495d33', true, false, 1, 1, false, NULL, 0);
INSERT INTO sync.feed_user VALUES ('ada', 1, 1, 'acf8aede-7770-2d5f-8b29-2a38605906f3', true, false, 1, 2, false, NULL, 0);
INSERT INTO sync.feed_user VALUES ('dan', 1, 4, '20cf527d-f427-0f52-48c9-44cfaa3edc03', false, false, 2, 2, false, NULL, 0);

INSERT INTO sync.migration VALUES ('migrations/0001-directory.sql', '68ac16a5cf38d39a487f5215566af86aac965f1751d18786b631d34093f933aa', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('migrations/0002-sync.sql', '2fe2aec74b29a9f74ab0692d13fc8d048ca33e9aa3fc2cbd070159d8416b13ef', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('migrations/0003-dependents.sql', '3bcf17087ff838f04376ce9d612b2d31ada2ad99d2fb65ae8c1b20f5546c406a', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('migrations/0004-lifecycle.sql', '3a3be0a7f05596f90a9ed412d53e7d5249cccd75aee252d0f2a73bc03203caed', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('migrations/0005-daemon.sql', 'ca76eeea98508d858b9a4298ae2d7919f00c1d163315a510c084506779382a52', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('migrations/0006-access.sql', 'eba829485f8ebe142e2e6febe55b65b225fa6647125b58b6616319b1f9ac2bc2', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('functions/links.sql', 'f9e415c9483bf16f71943ffa77a8c390093164bff0f0071e31a133a39c27c3e3', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('functions/merge.sql', '9f9d2dc1a5ddf108d53f2763b6df8b63a004d76a639480aa0f4daa767c3927af', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('functions/overrides.sql', '145ee8186c62b3a60da5d4933127ebd88b8e2bce7c9bba4cb246392cb2fbc9e8', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('functions/people.sql', '6a559586ee11f6b7754be8a8a79b8e2b8feb9e5ccc54542db61d07d11e4abf2b', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('functions/revert.sql', '6a86d3c8b2dea99a22551bf2197a4c140b3adbb255981a7218277fdb8e098030', '2026-11-25 14:51:39.828321+00');
INSERT INTO sync.migration VALUES ('views/directory.sql', '911e2e2482ed0d1a6c7bf0309e3da907dc3e9b618488136942a284a19c8e6bc3', '2026-11-25 14:51:39.828321+00');

INSERT INTO sync.model VALUES (true, 'e1a5ca74f13f0e0c99a7c6ccc2d851d6a40a439538df2a9c1e035be63855ae8e', '2026-11-25 14:51:39.968655+00');

INSERT INTO sync.model_link VALUES ('example:type:appointment', 'example:attribute:appointment-of');

INSERT INTO sync.model_object VALUES ('example:org:science', 1);
INSERT INTO sync.model_object VALUES ('example:org:arts', 2);
INSERT INTO sync.model_object VALUES ('example:org:library', 3);

INSERT INTO sync.operator OVERRIDING SYSTEM VALUE VALUES (1, 'ida', 'admin', 'scrypt$131072$8$1$N4viByabJzqA5QezNB0e5w$KG2TLVzLOczuZEA4gcyeGjOxlOkpSalw9jU_HF2e708', '2026-11-25 14:51:43.607584+00', 0, NULL);

INSERT INTO sync.override OVERRIDING SYSTEM VALUE VALUES (1, 'cy', 'protect', NULL, NULL, 'on leave', 'command line', '2026-11-25 14:51:41.662926+00', NULL, NULL);
INSERT INTO sync.override OVERRIDING SYSTEM VALUE VALUES (2, 'ada', 'pin', 'title', '"Prof"', 'asked for it', 'command line', '2026-11-25 14:51:42.171875+00', NULL, NULL);

INSERT INTO sync.received VALUES ('bob', 1, 1, 'users', 2, 12, 189, true, '{
  "USERNAME": "bob",
  "TITLE": "Dr",
  "FIRST_NAME": "Bob",
  "LAST_NAME": "Öz",
  "EMAIL": "bob@example.org",
  "ROLE": "student",
  "CARD": "1bob"
 }');
INSERT INTO sync.received VALUES ('cy', 1, 1, 'users', 3, 21, 347, true, '{
  "USERNAME": "cy",
  "TITLE": "Dr",
  "FIRST_NAME": "Cy",
  "LAST_NAME": "Twombly",
  "EMAIL": "cy@example.org",
  "ROLE": "student",
  "CARD": "1cy"
 }');
INSERT INTO sync.received VALUES ('dan', 1, 1, 'users', 4, 30, 505, true, '{
  "USERNAME": "dan",
  "TITLE": "Dr",
  "FIRST_NAME": "Dan",
  "LAST_NAME": "Brown",
  "EMAIL": "dan@example.org",
  "ROLE": "staff",
  "CARD": "1dan",
  "JOB_TITLE": "Clerk"
 }');
INSERT INTO sync.received VALUES ('ada', 1, 2, 'users', 1, 2, 3, true, '{
  "USERNAME": "ada",
  "TITLE": "Dr",
  "FIRST_NAME": "Ada",
  "LAST_NAME": "Lovelace",
  "EMAIL": "ada@example.org",
  "ROLE": "staff",
  "CARD": "1ada",
  "JOB_TITLE": "Professor"
 }');
INSERT INTO sync.received VALUES ('eve', 1, 2, 'users', 4, 30, 508, false, '{
  "USERNAME": "eve",
  "TITLE": "Dr",
  "FIRST_NAME": "Eve",
  "LAST_NAME": "Adams",
  "EMAIL": "none",
  "ROLE": "staff",
  "CARD": "1eve"
 }');

INSERT INTO sync.run OVERRIDING SYSTEM VALUE VALUES (1, 1, 'complete', 'batch', 'command line', false, false, 1, 'e1a5ca74f13f0e0c99a7c6ccc2d851d6a40a439538df2a9c1e035be63855ae8e', 7, true, 'applied', '{"added": 4, "blocked": 0, "records": 4, "updated": 0, "rejected": 0, "unblocked": 0, "unchanged": 0}', '{"user/title": 4, "user/groups": 4, "profile/std:attribute:job-title": 2, "profile/std:attribute:telephone": 0, "user:tags/example:tag:card-number": 4}', '[{"count": 4, "guard": "first-run", "limit": 0, "value": 1, "breached": true}, {"count": 0, "guard": "blocked", "limit": 0.1, "value": 0, "breached": false}, {"count": 0, "guard": "updated", "limit": 0.75, "value": 0, "breached": false}, {"count": 0, "guard": "rejected", "limit": 0.01, "value": 0, "breached": false}, {"count": 0, "guard": "unreadable-usernames", "limit": 0, "value": 0, "breached": false}, {"count": 0, "guard": "group-loss", "limit": 0.25, "value": 0, "breached": false}, {"count": 4, "guard": "empty", "limit": 0, "value": 4, "breached": false}]', '{"plan": 0.017, "apply": 0.009, "stage": 0.205}', 0, NULL, NULL, 'command line', '2026-11-25 14:51:40.216+00', 'given in advance with --approve', false, false, 1, '2026-11-25 14:51:39.902389+00', '2026-11-25 14:51:39.975+00', '2026-11-25 14:51:40.231+00', NULL, false, false, NULL, '{}');
INSERT INTO sync.run OVERRIDING SYSTEM VALUE VALUES (2, 1, 'complete', 'batch', 'command line', false, false, 1, 'e1a5ca74f13f0e0c99a7c6ccc2d851d6a40a439538df2a9c1e035be63855ae8e', 20, true, 'applied', '{"added": 0, "blocked": 1, "records": 4, "updated": 1, "rejected": 1, "unblocked": 0, "unchanged": 2}', '{"user/title": 3, "user/groups": 3, "profile/std:attribute:job-title": 1, "profile/std:attribute:telephone": 0, "user:tags/example:tag:card-number": 3}', '[{"count": 0, "guard": "first-run", "limit": 0, "value": 0, "breached": false}, {"count": 1, "guard": "blocked", "limit": 0.1, "value": 0.25, "breached": false}, {"count": 1, "guard": "updated", "limit": 0.75, "value": 0.25, "breached": false}, {"count": 1, "guard": "rejected", "limit": 0.01, "value": 0.25, "breached": false}, {"count": 0, "guard": "unreadable-usernames", "limit": 0, "value": 0, "breached": false}, {"count": 0, "guard": "record-count", "limit": 0.1, "value": 0, "breached": false}, {"count": 32, "guard": "file-size", "limit": 0.1, "value": 0.046579330422125184, "subject": "users", "breached": false}, {"count": 0, "guard": "group-loss", "limit": 0.25, "value": 0, "breached": false}, {"count": 1, "guard": "field-emptied", "limit": 0.2, "value": 0.16666666666666669, "subject": "profile/std:attribute:job-title", "breached": false}, {"count": 4, "guard": "empty", "limit": 0, "value": 4, "breached": false}]', '{"plan": 0.025, "apply": 0.015, "stage": 0.221}', 2, NULL, NULL, NULL, NULL, NULL, false, false, 2, '2026-11-25 14:51:40.734178+00', '2026-11-25 14:51:40.802+00', '2026-11-25 14:51:41.089+00', NULL, false, false, NULL, '{"invalid-email": 1, "missing-value": 1}');
INSERT INTO sync.run OVERRIDING SYSTEM VALUE VALUES (3, 1, 'held', 'batch', 'command line', false, false, 1, 'e1a5ca74f13f0e0c99a7c6ccc2d851d6a40a439538df2a9c1e035be63855ae8e', 47, false, NULL, '{"added": 1, "blocked": 0, "records": 4, "updated": 2, "rejected": 0, "unblocked": 0, "unchanged": 1}', '{"user/title": 4, "user/groups": 4, "profile/std:attribute:job-title": 1, "profile/std:attribute:telephone": 0, "user:tags/example:tag:card-number": 4}', '[{"count": 0, "guard": "first-run", "limit": 0, "value": 0, "breached": false}, {"count": 0, "guard": "blocked", "limit": 0.1, "value": 0, "breached": false}, {"count": 2, "guard": "updated", "limit": 0.75, "value": 0.6666666666666666, "breached": false}, {"count": 0, "guard": "rejected", "limit": 0.01, "value": 0, "breached": false}, {"count": 0, "guard": "unreadable-usernames", "limit": 0, "value": 0, "breached": false}, {"count": 0, "guard": "record-count", "limit": 0.1, "value": 0, "breached": false}, {"count": 10, "guard": "file-size", "limit": 0.1, "value": 0.015267175572519083, "subject": "users", "breached": false}, {"count": 1, "guard": "group-loss", "limit": 0.25, "value": 0.5, "subject": "example:group:students", "breached": false}, {"count": 0, "guard": "field-emptied", "limit": 0.2, "value": 0.08333333333333331, "subject": "profile/std:attribute:job-title", "breached": false}, {"count": 4, "guard": "empty", "limit": 0, "value": 4, "breached": false}]', '{"plan": 0.036, "apply": 0, "stage": 0.22}', 0, NULL, NULL, NULL, NULL, NULL, false, false, NULL, '2026-11-25 14:51:44.32428+00', '2026-11-25 14:51:44.408+00', NULL, NULL, false, false, NULL, '{}');

INSERT INTO sync.run_file VALUES (1, 'users', '878c308d1930306017d135b48cf87d1ff0efbc57f8bfdb29f1a233d00b78630a', 687, 'first.json', 'command line', '2026-11-25 14:51:39.902389+00');
INSERT INTO sync.run_file VALUES (2, 'users', 'c88f2ef160882fe8bb37c710b465395b85f360ddf2b12b2385c0c20a55cff1ca', 655, 'second.json', 'command line', '2026-11-25 14:51:40.734178+00');
INSERT INTO sync.run_file VALUES (3, 'users', '8968460f1c2242dc4ea55086969afe3a8e0e4ff0a3833f5a9511831fe4a40f09', 665, 'held.json', 'command line', '2026-11-25 14:51:44.32428+00');

INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (1, 1, '2026-11-25 14:51:39.978078+00', 'info', NULL, 'The run is planning, by command line.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (2, 1, '2026-11-25 14:51:40.190304+00', 'info', NULL, 'Read 4 records of users: 4 accepted, 0 of them with errors.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (3, 1, '2026-11-25 14:51:40.209824+00', 'info', NULL, 'Planned: 4 to add, 0 to update, 0 to block, 0 to unblock; 0 unchanged, 0 rejected.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (4, 1, '2026-11-25 14:51:40.212068+00', 'warn', 'first-run', 'Guard first-run is breached: nothing of this feed was applied before; 4 users would be added.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (5, 1, '2026-11-25 14:51:40.216063+00', 'info', NULL, 'The run is held, by command line: guards: first-run.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (6, 1, '2026-11-25 14:51:40.218006+00', 'info', NULL, 'The run is applying, by command line: given in advance with --approve.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (7, 1, '2026-11-25 14:51:40.228771+00', 'info', NULL, 'The run is complete: applied.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (8, 2, '2026-11-25 14:51:40.80683+00', 'info', NULL, 'The run is planning, by command line.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (9, 2, '2026-11-25 14:51:41.028521+00', 'error', 'invalid-email', 'The value is not an e-mail address with an `@`.', 'eve', 'users', 4, 30, 508, 'EMAIL', 'none');
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (10, 2, '2026-11-25 14:51:41.028785+00', 'error', 'missing-value', 'There is no value for `email` of the user, which every user needs.', 'eve', 'users', 4, 30, 508, 'EMAIL', NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (11, 2, '2026-11-25 14:51:41.035671+00', 'info', NULL, 'Read 4 records of users: 3 accepted, 0 of them with errors.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (12, 2, '2026-11-25 14:51:41.06294+00', 'info', NULL, 'Planned: 0 to add, 1 to update, 1 to block, 0 to unblock; 2 unchanged, 1 rejected.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (13, 2, '2026-11-25 14:51:41.068967+00', 'info', NULL, 'The run is applying, by command line.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (14, 2, '2026-11-25 14:51:41.08639+00', 'info', NULL, 'The run is complete: applied.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (15, 3, '2026-11-25 14:51:44.411242+00', 'info', NULL, 'The run is planning, by command line.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (16, 3, '2026-11-25 14:51:44.640456+00', 'info', NULL, 'Read 4 records of users: 4 accepted, 0 of them with errors.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (17, 3, '2026-11-25 14:51:44.679704+00', 'info', NULL, 'Planned: 1 to add, 2 to update, 0 to block, 0 to unblock; 1 unchanged, 0 rejected.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (18, 3, '2026-11-25 14:51:44.686698+00', 'info', NULL, 'The run is held, by command line: automatic apply is off.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO sync.run_transition VALUES (1, '2026-11-25 14:51:39.904407+00', 'uploading', 'ready', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (1, '2026-11-25 14:51:39.977156+00', 'ready', 'planning', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (1, '2026-11-25 14:51:40.215371+00', 'planning', 'held', 'command line', 'guards: first-run');
INSERT INTO sync.run_transition VALUES (1, '2026-11-25 14:51:40.217328+00', 'held', 'applying', 'command line', 'given in advance with --approve');
INSERT INTO sync.run_transition VALUES (1, '2026-11-25 14:51:40.232015+00', 'applying', 'complete', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (2, '2026-11-25 14:51:40.736751+00', 'uploading', 'ready', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (2, '2026-11-25 14:51:40.804325+00', 'ready', 'planning', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (2, '2026-11-25 14:51:41.068203+00', 'planning', 'applying', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (2, '2026-11-25 14:51:41.090252+00', 'applying', 'complete', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (3, '2026-11-25 14:51:44.327372+00', 'uploading', 'ready', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (3, '2026-11-25 14:51:44.410112+00', 'ready', 'planning', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (3, '2026-11-25 14:51:44.685882+00', 'planning', 'held', 'command line', 'automatic apply is off');

INSERT INTO sync.stage_2 VALUES (0, 0, 1, 2, 3, 'ada', 'acf8aede-7770-2d5f-8b29-2a38605906f3', false, '{"user":{"email":"ada@example.org","title":"Dr","nameFirst":"Ada","nameLast":"Lovelace","groups":["example:group:staff"]},"tags":{"example:tag:card-number":"1ada"},"types":["std:type:person:staff"],"profile":{"dc:attribute:title":[{"value":{"first":"Ada","last":"Lovelace","title":"Dr"}}],"std:attribute:email":[{"value":"ada@example.org"}],"std:attribute:job-title":[{"value":"Professor"}]},"drop":{"profile":{"std:attribute:telephone":true}}}', '{
  "USERNAME": "ada",
  "TITLE": "Dr",
  "FIRST_NAME": "Ada",
  "LAST_NAME": "Lovelace",
  "EMAIL": "ada@example.org",
  "ROLE": "staff",
  "CARD": "1ada",
  "JOB_TITLE": "Professor"
 }');
INSERT INTO sync.stage_2 VALUES (1, 0, 2, 12, 192, 'bob', '63f2b1d5-6aee-63dd-1c64-e7071f00793c', false, '{"user":{"email":"bob@example.org","title":"Dr","nameFirst":"Bob","nameLast":"Öz","groups":["example:group:students"]},"tags":{"example:tag:card-number":"1bob"},"types":["std:type:person:student"],"profile":{"dc:attribute:title":[{"value":{"first":"Bob","last":"Öz","title":"Dr"}}],"std:attribute:email":[{"value":"bob@example.org"}]},"drop":{"profile":{"std:attribute:job-title":true,"std:attribute:telephone":true}}}', '{
  "USERNAME": "bob",
  "TITLE": "Dr",
  "FIRST_NAME": "Bob",
  "LAST_NAME": "Öz",
  "EMAIL": "bob@example.org",
  "ROLE": "student",
  "CARD": "1bob"
 }');
INSERT INTO sync.stage_2 VALUES (2, 0, 3, 21, 350, 'cy', '48d54bad-e352-7214-df78-7c2967495d33', false, '{"user":{"email":"cy@example.org","title":"Dr","nameFirst":"Cy","nameLast":"Twombly","groups":["example:group:students"]},"tags":{"example:tag:card-number":"1cy"},"types":["std:type:person:student"],"profile":{"dc:attribute:title":[{"value":{"first":"Cy","last":"Twombly","title":"Dr"}}],"std:attribute:email":[{"value":"cy@example.org"}]},"drop":{"profile":{"std:attribute:job-title":true,"std:attribute:telephone":true}}}', '{
  "USERNAME": "cy",
  "TITLE": "Dr",
  "FIRST_NAME": "Cy",
  "LAST_NAME": "Twombly",
  "EMAIL": "cy@example.org",
  "ROLE": "student",
  "CARD": "1cy"
 }');
INSERT INTO sync.stage_2 VALUES (3, 0, 4, 30, 508, 'eve', NULL, true, NULL, '{
  "USERNAME": "eve",
  "TITLE": "Dr",
  "FIRST_NAME": "Eve",
  "LAST_NAME": "Adams",
  "EMAIL": "none",
  "ROLE": "staff",
  "CARD": "1eve"
 }');

INSERT INTO sync.stage_3 VALUES (1, 0, 2, 12, 192, 'bob', '81623071-b438-4fb5-1148-1e31caa25f91', false, '{"user":{"email":"bob@example.org","title":"Dr","nameFirst":"Bob","nameLast":"Öz","groups":["example:group:staff"]},"tags":{"example:tag:card-number":"1bob"},"types":["std:type:person:staff"],"profile":{"dc:attribute:title":[{"value":{"first":"Bob","last":"Öz","title":"Dr"}}],"std:attribute:email":[{"value":"bob@example.org"}]},"drop":{"profile":{"std:attribute:job-title":true,"std:attribute:telephone":true}}}', '{
  "USERNAME": "bob",
  "TITLE": "Dr",
  "FIRST_NAME": "Bob",
  "LAST_NAME": "Öz",
  "EMAIL": "bob@example.org",
  "ROLE": "staff",
  "CARD": "1bob"
 }');
INSERT INTO sync.stage_3 VALUES (2, 0, 3, 21, 348, 'cy', '48d54bad-e352-7214-df78-7c2967495d33', false, '{"user":{"email":"cy@example.org","title":"Dr","nameFirst":"Cy","nameLast":"Twombly","groups":["example:group:students"]},"tags":{"example:tag:card-number":"1cy"},"types":["std:type:person:student"],"profile":{"dc:attribute:title":[{"value":{"first":"Cy","last":"Twombly","title":"Dr"}}],"std:attribute:email":[{"value":"cy@example.org"}]},"drop":{"profile":{"std:attribute:job-title":true,"std:attribute:telephone":true}}}', '{
  "USERNAME": "cy",
  "TITLE": "Dr",
  "FIRST_NAME": "Cy",
  "LAST_NAME": "Twombly",
  "EMAIL": "cy@example.org",
  "ROLE": "student",
  "CARD": "1cy"
 }');
INSERT INTO sync.stage_3 VALUES (3, 0, 4, 30, 506, 'fay', 'b538e52a-cae9-053b-1696-fdc65a3fbe60', false, '{"user":{"email":"fay@example.org","title":"Dr","nameFirst":"Fay","nameLast":"Wray","groups":["example:group:students"]},"tags":{"example:tag:card-number":"1fay"},"types":["std:type:person:student"],"profile":{"dc:attribute:title":[{"value":{"first":"Fay","last":"Wray","title":"Dr"}}],"std:attribute:email":[{"value":"fay@example.org"}]},"drop":{"profile":{"std:attribute:job-title":true,"std:attribute:telephone":true}}}', '{
  "USERNAME": "fay",
  "TITLE": "Dr",
  "FIRST_NAME": "Fay",
  "LAST_NAME": "Wray",
  "EMAIL": "fay@example.org",
  "ROLE": "student",
  "CARD": "1fay"
 }');
INSERT INTO sync.stage_3 VALUES (0, 0, 1, 2, 3, 'ada', '0c2b04ce-f54a-1f71-95c1-55df9d0316cb', false, '{"drop": {"profile": {"std:attribute:telephone": true}}, "tags": {"example:tag:card-number": "1ada"}, "user": {"email": "ada@example.org", "title": "Prof", "groups": ["example:group:staff"], "nameLast": "Lovelace", "nameFirst": "Ada"}, "types": ["std:type:person:staff"], "profile": {"dc:attribute:title": [{"value": {"last": "Lovelace", "first": "Ada", "title": "Prof"}}], "std:attribute:email": [{"value": "ada@example.org"}], "std:attribute:job-title": [{"value": "Professor"}]}}', '{
  "USERNAME": "ada",
  "TITLE": "Dr",
  "FIRST_NAME": "Ada",
  "LAST_NAME": "Lovelace",
  "EMAIL": "ada@example.org",
  "ROLE": "staff",
  "CARD": "1ada",
  "JOB_TITLE": "Professor"
 }');

SELECT pg_catalog.setval('directory.account_id_seq', 5, true);

SELECT pg_catalog.setval('directory.object_ref_seq', 8, true);

SELECT pg_catalog.setval('directory.version', 47, true);

SELECT pg_catalog.setval('sync.api_key_id_seq', 1, true);

SELECT pg_catalog.setval('sync.audit_id_seq', 2, true);

SELECT pg_catalog.setval('sync.control_file_id_seq', 1, true);

SELECT pg_catalog.setval('sync.feed_id_seq', 1, true);

SELECT pg_catalog.setval('sync.operator_id_seq', 1, true);

SELECT pg_catalog.setval('sync.override_id_seq', 2, true);

SELECT pg_catalog.setval('sync.publication', 2, true);

SELECT pg_catalog.setval('sync.run_id_seq', 3, true);

SELECT pg_catalog.setval('sync.run_log_id_seq', 18, true);

ALTER TABLE ONLY directory.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY directory.membership
    ADD CONSTRAINT membership_pkey PRIMARY KEY (account_id, group_code);

ALTER TABLE ONLY directory.object
    ADD CONSTRAINT object_pkey PRIMARY KEY (ref);

ALTER TABLE ONLY directory.user_group
    ADD CONSTRAINT user_group_pkey PRIMARY KEY (code);

ALTER TABLE ONLY sync.api_key
    ADD CONSTRAINT api_key_digest_key UNIQUE (digest);

ALTER TABLE ONLY sync.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY sync.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY sync.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (run_id, ordinal);

ALTER TABLE ONLY sync.chunk
    ADD CONSTRAINT chunk_pkey PRIMARY KEY (run_id, first_ordinal);

ALTER TABLE ONLY sync.control_file
    ADD CONSTRAINT control_file_pkey PRIMARY KEY (id);

ALTER TABLE ONLY sync.feed
    ADD CONSTRAINT feed_name_key UNIQUE (name);

ALTER TABLE ONLY sync.feed
    ADD CONSTRAINT feed_pkey PRIMARY KEY (id);

ALTER TABLE ONLY sync.feed_user
    ADD CONSTRAINT feed_user_account_id_key UNIQUE (account_id);

ALTER TABLE ONLY sync.feed_user
    ADD CONSTRAINT feed_user_pkey PRIMARY KEY (username);

ALTER TABLE ONLY sync.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);

ALTER TABLE ONLY sync.model_link
    ADD CONSTRAINT model_link_pkey PRIMARY KEY (type, attribute);

ALTER TABLE ONLY sync.model_object
    ADD CONSTRAINT model_object_pkey PRIMARY KEY (behaviour);

ALTER TABLE ONLY sync.model
    ADD CONSTRAINT model_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY sync.operator
    ADD CONSTRAINT operator_pkey PRIMARY KEY (id);

ALTER TABLE ONLY sync.override
    ADD CONSTRAINT override_pkey PRIMARY KEY (id);

ALTER TABLE ONLY sync.received
    ADD CONSTRAINT received_pkey PRIMARY KEY (username);

ALTER TABLE ONLY sync.run_file
    ADD CONSTRAINT run_file_pkey PRIMARY KEY (run_id, name);

ALTER TABLE ONLY sync.run_log
    ADD CONSTRAINT run_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY sync.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY sync.run
    ADD CONSTRAINT run_publication_key UNIQUE (publication);

ALTER TABLE ONLY sync.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (digest);

CREATE INDEX account_email ON directory.account USING btree (lower(email));

CREATE INDEX account_profile ON directory.account USING btree (profile_ref);

CREATE INDEX membership_group ON directory.membership USING btree (group_code, account_id);

CREATE INDEX object_owner ON directory.object USING btree (owner) WHERE (owner IS NOT NULL);

CREATE INDEX audit_subject ON sync.audit USING btree (subject, id DESC);

CREATE INDEX change_awaited ON sync.change USING btree (run_id, ordinal) WHERE (awaited IS NOT NULL);

CREATE INDEX change_username ON sync.change USING btree (username, run_id);

CREATE INDEX control_file_feed ON sync.control_file USING btree (feed_id, id DESC);

CREATE INDEX feed_user_in_error ON sync.feed_user USING btree (feed_id) WHERE in_error;

CREATE INDEX feed_user_look_again ON sync.feed_user USING btree (feed_id) WHERE look_again;

CREATE INDEX feed_user_missing ON sync.feed_user USING btree (feed_id) WHERE (missing_since IS NOT NULL);

CREATE UNIQUE INDEX operator_name ON sync.operator USING btree (lower(name));

CREATE UNIQUE INDEX override_one ON sync.override USING btree (username, kind, COALESCE(name, ''::text)) WHERE (ended_at IS NULL);

CREATE INDEX run_feed ON sync.run USING btree (feed_id, id DESC);

CREATE INDEX run_log_run ON sync.run_log USING btree (run_id, id);

CREATE INDEX run_log_username ON sync.run_log USING btree (username) WHERE (username IS NOT NULL);

CREATE UNIQUE INDEX run_one_active ON sync.run USING btree (feed_id) WHERE (status = ANY (ARRAY['planning'::text, 'applying'::text]));

CREATE UNIQUE INDEX run_one_upload ON sync.run USING btree (feed_id) WHERE (status = 'uploading'::text);

CREATE INDEX run_to_take_up ON sync.run USING btree (feed_id, id) WHERE (status = ANY (ARRAY['ready'::text, 'held'::text, 'planning'::text, 'applying'::text]));

CREATE INDEX run_transition_run ON sync.run_transition USING btree (run_id);

CREATE INDEX session_operator ON sync.session USING btree (operator_id);

CREATE INDEX stage_2_username_idx ON sync.stage_2 USING btree (username);

CREATE INDEX stage_3_username_idx ON sync.stage_3 USING btree (username);

CREATE TRIGGER forget_accounts AFTER DELETE ON directory.account REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION sync.forget_accounts();

CREATE TRIGGER forget_all_accounts AFTER TRUNCATE ON directory.account FOR EACH STATEMENT EXECUTE FUNCTION sync.forget_all_accounts();

CREATE TRIGGER note_owner BEFORE INSERT OR UPDATE OF types, attributes ON directory.object FOR EACH ROW WHEN ((new.types && '{example:type:appointment}'::text[])) EXECUTE FUNCTION directory.note_owner();

CREATE TRIGGER note_write AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON directory.account FOR EACH STATEMENT EXECUTE FUNCTION directory.note_write();

CREATE TRIGGER note_write AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON directory.membership FOR EACH STATEMENT EXECUTE FUNCTION directory.note_write();

CREATE TRIGGER note_write AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON directory.object FOR EACH STATEMENT EXECUTE FUNCTION directory.note_write();

CREATE TRIGGER note_write AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON directory.user_group FOR EACH STATEMENT EXECUTE FUNCTION directory.note_write();

ALTER TABLE ONLY directory.account
    ADD CONSTRAINT account_profile_ref_fkey FOREIGN KEY (profile_ref) REFERENCES directory.object(ref) ON DELETE SET NULL;

ALTER TABLE ONLY directory.membership
    ADD CONSTRAINT membership_account_id_fkey FOREIGN KEY (account_id) REFERENCES directory.account(id) ON DELETE CASCADE;

ALTER TABLE ONLY directory.membership
    ADD CONSTRAINT membership_group_code_fkey FOREIGN KEY (group_code) REFERENCES directory.user_group(code) ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE ONLY sync.chunk
    ADD CONSTRAINT chunk_run_id_fkey FOREIGN KEY (run_id) REFERENCES sync.run(id) ON DELETE CASCADE;

ALTER TABLE ONLY sync.control_file
    ADD CONSTRAINT control_file_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES sync.feed(id);

ALTER TABLE ONLY sync.feed
    ADD CONSTRAINT feed_control_id_fkey FOREIGN KEY (control_id) REFERENCES sync.control_file(id);

ALTER TABLE ONLY sync.model_object
    ADD CONSTRAINT model_object_ref_fkey FOREIGN KEY (ref) REFERENCES directory.object(ref) ON DELETE CASCADE;

ALTER TABLE ONLY sync.run
    ADD CONSTRAINT run_control_id_fkey FOREIGN KEY (control_id) REFERENCES sync.control_file(id);

ALTER TABLE ONLY sync.run
    ADD CONSTRAINT run_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES sync.feed(id);

ALTER TABLE ONLY sync.run_file
    ADD CONSTRAINT run_file_run_id_fkey FOREIGN KEY (run_id) REFERENCES sync.run(id) ON DELETE CASCADE;

ALTER TABLE ONLY sync.run
    ADD CONSTRAINT run_of_run_fkey FOREIGN KEY (of_run) REFERENCES sync.run(id);

ALTER TABLE ONLY sync.run_transition
    ADD CONSTRAINT run_transition_run_id_fkey FOREIGN KEY (run_id) REFERENCES sync.run(id) ON DELETE CASCADE;

ALTER TABLE ONLY sync.session
    ADD CONSTRAINT session_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES sync.operator(id) ON DELETE CASCADE;

