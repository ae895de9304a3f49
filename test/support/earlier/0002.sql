
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

CREATE FUNCTION sync.merged_profile(existing jsonb, given jsonb, dropped jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
declare
  title constant text := 'dc:attribute:title';
  result jsonb := existing || given;
  attribute text;
  rule jsonb;
begin
  if not coalesce(dropped, '{}') ? title and jsonb_typeof(existing -> title) = 'array'
     and existing -> title <> coalesce(given -> title, '[]') then
    dropped := coalesce(dropped, '{}') || jsonb_build_object(title, '[null]'::jsonb);
  end if;
  for attribute, rule in select * from jsonb_each(dropped) loop
    if jsonb_typeof(rule) = 'array' then
      result := result || jsonb_build_object(attribute, sync.merged_values(
        coalesce(existing -> attribute, '[]'), coalesce(given -> attribute, '[]'), rule,
        case when attribute = title then 1 else 0 end));
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
    CONSTRAINT account_tags_check CHECK ((jsonb_typeof(tags) = 'object'::text))
);

COMMENT ON TABLE directory.account IS 'Everyone who has an account. An insert of email and names makes an account by hand, which the sync never alters.';

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
    CONSTRAINT object_attributes_check CHECK ((jsonb_typeof(attributes) = 'object'::text))
);

COMMENT ON TABLE directory.object IS 'Profiles of people and classification objects. attributes: {code: [{"value": …, "qualifier"?: …}]}.';

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
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE sync.feed_user (
    username text NOT NULL COLLATE pg_catalog."C",
    feed_id smallint NOT NULL,
    account_id bigint NOT NULL,
    digest uuid,
    in_feed boolean NOT NULL,
    in_error boolean DEFAULT false NOT NULL,
    since_run bigint NOT NULL,
    changed_run bigint NOT NULL
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
    GREATEST(account.updated_at, object.updated_at) AS updated_at
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

CREATE TABLE sync.model_object (
    behaviour text NOT NULL,
    ref bigint NOT NULL
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

INSERT INTO directory.account VALUES (1, 'ada@example.org', 'Dr', 'Ada', 'Lovelace', true, '{"example:tag:card-number": "1ada"}', 4, '2026-11-25 14:40:31.163832+00', '2026-11-25 14:40:31.163832+00');
INSERT INTO directory.account VALUES (2, 'bob@example.org', 'Dr', 'Bob', 'Öz', true, '{"example:tag:card-number": "1bob"}', 5, '2026-11-25 14:40:31.163832+00', '2026-11-25 14:40:31.163832+00');
INSERT INTO directory.account VALUES (3, 'cy@example.org', 'Dr', 'Cy', 'Twombly', true, '{"example:tag:card-number": "1cy"}', 6, '2026-11-25 14:40:31.163832+00', '2026-11-25 14:40:31.163832+00');
INSERT INTO directory.account VALUES (4, 'dan@example.org', 'Dr', 'Dan', 'Brown', false, '{"example:tag:card-number": "1dan"}', 7, '2026-11-25 14:40:31.163832+00', '2026-11-25 14:40:32.261507+00');
INSERT INTO directory.account VALUES (5, 'guest@example.org', NULL, 'Gast', 'Hand', true, '{}', NULL, '2026-11-25 14:40:32.365953+00', '2026-11-25 14:40:32.365953+00');

INSERT INTO directory.membership VALUES (1, 'example:group:staff');
INSERT INTO directory.membership VALUES (2, 'example:group:students');
INSERT INTO directory.membership VALUES (3, 'example:group:students');
INSERT INTO directory.membership VALUES (4, 'example:group:staff');
INSERT INTO directory.membership VALUES (1, 'example:group:reviewers');
INSERT INTO directory.membership VALUES (5, 'example:group:reviewers');

INSERT INTO directory.object VALUES (1, '{std:type:organisation}', '{"dc:attribute:title": [{"value": "Faculty of Science"}], "std:attribute:configured-behaviour": [{"value": "example:org:science"}]}', '2026-11-25 14:40:30.791324+00', '2026-11-25 14:40:30.791324+00');
INSERT INTO directory.object VALUES (2, '{std:type:organisation}', '{"dc:attribute:title": [{"value": "Faculty of Arts"}], "std:attribute:configured-behaviour": [{"value": "example:org:arts"}]}', '2026-11-25 14:40:30.791324+00', '2026-11-25 14:40:30.791324+00');
INSERT INTO directory.object VALUES (3, '{std:type:organisation}', '{"dc:attribute:title": [{"value": "University Library"}], "std:attribute:configured-behaviour": [{"value": "example:org:library"}]}', '2026-11-25 14:40:30.791324+00', '2026-11-25 14:40:30.791324+00');
INSERT INTO directory.object VALUES (5, '{std:type:person:student}', '{"dc:attribute:title": [{"value": {"last": "Öz", "first": "Bob", "title": "Dr"}}], "std:attribute:email": [{"value": "bob@example.org"}]}', '2026-11-25 14:40:31.163832+00', '2026-11-25 14:40:31.163832+00');
INSERT INTO directory.object VALUES (6, '{std:type:person:student}', '{"dc:attribute:title": [{"value": {"last": "Twombly", "first": "Cy", "title": "Dr"}}], "std:attribute:email": [{"value": "cy@example.org"}]}', '2026-11-25 14:40:31.163832+00', '2026-11-25 14:40:31.163832+00');
INSERT INTO directory.object VALUES (4, '{std:type:person:staff}', '{"dc:attribute:title": [{"value": {"last": "Lovelace", "first": "Ada", "title": "Dr"}}], "std:attribute:email": [{"value": "ada@example.org"}], "std:attribute:job-title": [{"value": "Professor"}]}', '2026-11-25 14:40:31.163832+00', '2026-11-25 14:40:32.26126+00');
INSERT INTO directory.object VALUES (7, '{std:type:person:staff-past}', '{"dc:attribute:title": [{"value": {"last": "Brown", "first": "Dan", "title": "Dr"}}], "std:attribute:email": [{"value": "dan@example.org"}], "std:attribute:job-title": [{"value": "Clerk"}]}', '2026-11-25 14:40:31.163832+00', '2026-11-25 14:40:32.261507+00');

INSERT INTO directory.user_group VALUES ('example:group:staff', 'Staff', true, 'std:type:person:staff', 'std:type:person:staff-past', 0);
INSERT INTO directory.user_group VALUES ('example:group:students', 'Students', true, 'std:type:person:student', 'std:type:person:student-past', 1);
INSERT INTO directory.user_group VALUES ('example:group:reviewers', 'Reviewers', false, NULL, NULL, 2);

INSERT INTO sync.change VALUES (1, 0, 'add', 'ada', NULL, '02aba202-450d-d3e2-e983-01cc3935fd35', false, NULL, '{"tags": {"example:tag:card-number": "1ada"}, "user": {"email": "ada@example.org", "title": "Dr", "groups": ["example:group:staff"], "nameLast": "Lovelace", "nameFirst": "Ada"}, "types": ["std:type:person:staff"], "profile": {"dc:attribute:title": [{"value": {"last": "Lovelace", "first": "Ada", "title": "Dr"}}], "std:attribute:email": [{"value": "ada@example.org"}], "std:attribute:job-title": [{"value": "Reader"}]}}');
INSERT INTO sync.change VALUES (1, 1, 'add', 'bob', NULL, '63f2b1d5-6aee-63dd-1c64-e7071f00793c', false, NULL, '{"tags": {"example:tag:card-number": "1bob"}, "user": {"email": "bob@example.org", "title": "Dr", "groups": ["example:group:students"], "nameLast": "Öz", "nameFirst": "Bob"}, "types": ["std:type:person:student"], "profile": {"dc:attribute:title": [{"value": {"last": "Öz", "first": "Bob", "title": "Dr"}}], "std:attribute:email": [{"value": "bob@example.org"}]}}');
INSERT INTO sync.change VALUES (1, 2, 'add', 'cy', NULL, '48d54bad-e352-7214-df78-7c2967495d33', false, NULL, '{"tags": {"example:tag:card-number": "1cy"}, "user": {"email": "cy@example.org", "title": "Dr", "groups": ["example:group:students"], "nameLast": "Twombly", "nameFirst": "Cy"}, "types": ["std:type:person:student"], "profile": {"dc:attribute:title": [{"value": {"last": "Twombly", "first": "Cy", "title": "Dr"}}], "std:attribute:email": [{"value": "cy@example.org"}]}}');
INSERT INTO sync.change VALUES (1, 3, 'add', 'dan', NULL, '20cf527d-f427-0f52-48c9-44cfaa3edc03', false, NULL, '{"tags": {"example:tag:card-number": "1dan"}, "user": {"email": "dan@example.org", "title": "Dr", "groups": ["example:group:staff"], "nameLast": "Brown", "nameFirst": "Dan"}, "types": ["std:type:person:staff"], "profile": {"dc:attribute:title": [{"value": {"last": "Brown", "first": "Dan", "title": "Dr"}}], "std:attribute:email": [{"value": "dan@example.org"}], "std:attribute:job-title": [{"value": "Clerk"}]}}');
INSERT INTO sync.change VALUES (2, 0, 'update', 'ada', 1, 'acf8aede-7770-2d5f-8b29-2a38605906f3', false, '{"profile": {"std:attribute:job-title": [{"value": "Reader"}]}}', '{"profile": {"std:attribute:job-title": [{"value": "Professor"}]}}');
INSERT INTO sync.change VALUES (2, 4, 'block', 'dan', 4, NULL, false, '{"user": {"isActive": true}, "types": ["std:type:person:staff"]}', '{"user": {"isActive": false}, "types": ["std:type:person:staff-past"]}');
INSERT INTO sync.change VALUES (3, 3, 'add', 'fay', NULL, 'b538e52a-cae9-053b-1696-fdc65a3fbe60', false, NULL, '{"tags": {"example:tag:card-number": "1fay"}, "user": {"email": "fay@example.org", "title": "Dr", "groups": ["example:group:students"], "nameLast": "Wray", "nameFirst": "Fay"}, "types": ["std:type:person:student"], "profile": {"dc:attribute:title": [{"value": {"last": "Wray", "first": "Fay", "title": "Dr"}}], "std:attribute:email": [{"value": "fay@example.org"}]}}');
INSERT INTO sync.change VALUES (3, 1, 'update', 'bob', 2, '81623071-b438-4fb5-1148-1e31caa25f91', false, '{"user": {"groups": ["example:group:students"]}, "types": ["std:type:person:student"]}', '{"user": {"groups": ["example:group:staff"]}, "types": ["std:type:person:staff"]}');

INSERT INTO sync.chunk VALUES (1, 0, 3, false, '2026-11-25 14:40:31.172255+00');
INSERT INTO sync.chunk VALUES (2, 0, 0, false, '2026-11-25 14:40:32.272864+00');
INSERT INTO sync.chunk VALUES (2, 4, 4, true, '2026-11-25 14:40:32.277212+00');
INSERT INTO sync.chunk VALUES (3, 1, 3, false, NULL);

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
', 'command line', '2026-11-25 14:40:30.599842+00');

INSERT INTO sync.feed OVERRIDING SYSTEM VALUE VALUES (1, 'default', 1, NULL, 3, NULL, '2026-11-25 14:40:30.597228+00');

INSERT INTO sync.feed_user VALUES ('bob', 1, 2, '63f2b1d5-6aee-63dd-1c64-e7071f00793c', true, false, 1, 1);
INSERT INTO sync.feed_user VALUES ('cy', 1, 3, '48d54bad-e352-7214-df78-7c2967495d33', true, false, 1, 1);
INSERT INTO sync.feed_user VALUES ('ada', 1, 1, 'acf8aede-7770-2d5f-8b29-2a38605906f3', true, false, 1, 2);
INSERT INTO sync.feed_user VALUES ('dan', 1, 4, '20cf527d-f427-0f52-48c9-44cfaa3edc03', false, false, 2, 2);

INSERT INTO sync.migration VALUES ('migrations/0001-directory.sql', '68ac16a5cf38d39a487f5215566af86aac965f1751d18786b631d34093f933aa', '2026-11-25 14:40:30.426969+00');
INSERT INTO sync.migration VALUES ('migrations/0002-sync.sql', '2fe2aec74b29a9f74ab0692d13fc8d048ca33e9aa3fc2cbd070159d8416b13ef', '2026-11-25 14:40:30.426969+00');
INSERT INTO sync.migration VALUES ('functions/merge.sql', 'ad81229c8f307d69dfa3e654b0862a77d05efe9188d5106e9c3efa048c09eae8', '2026-11-25 14:40:30.426969+00');
INSERT INTO sync.migration VALUES ('views/directory.sql', '27ab93f7b6d73a3a036b829beb5d8c69b2b502bbb3c52a92a006693c216432eb', '2026-11-25 14:40:30.426969+00');

INSERT INTO sync.model VALUES (true, 'd128cce2e6fb558246d74b3957c2efde7f01884a16a330da17fc6584bf05e790', '2026-11-25 14:40:30.791324+00');

INSERT INTO sync.model_object VALUES ('example:org:science', 1);
INSERT INTO sync.model_object VALUES ('example:org:arts', 2);
INSERT INTO sync.model_object VALUES ('example:org:library', 3);

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

INSERT INTO sync.run OVERRIDING SYSTEM VALUE VALUES (1, 1, 'complete', 'batch', 'command line', false, false, 1, 'd128cce2e6fb558246d74b3957c2efde7f01884a16a330da17fc6584bf05e790', 5, true, 'applied', '{"added": 4, "blocked": 0, "records": 4, "updated": 0, "rejected": 0, "unblocked": 0, "unchanged": 0}', '{"user/title": 4, "user/groups": 4, "profile/std:attribute:job-title": 2, "profile/std:attribute:telephone": 0, "user:tags/example:tag:card-number": 4}', '[{"count": 4, "guard": "first-run", "limit": 0, "value": 1, "breached": true}, {"count": 0, "guard": "blocked", "limit": 0.1, "value": 0, "breached": false}, {"count": 0, "guard": "updated", "limit": 0.75, "value": 0, "breached": false}, {"count": 0, "guard": "rejected", "limit": 0.01, "value": 0, "breached": false}, {"count": 0, "guard": "unreadable-usernames", "limit": 0, "value": 0, "breached": false}, {"count": 0, "guard": "group-loss", "limit": 0.25, "value": 0, "breached": false}, {"count": 4, "guard": "empty", "limit": 0, "value": 4, "breached": false}]', '{"plan": 0.027, "apply": 0.012, "stage": 0.311}', 0, NULL, NULL, 'command line', '2026-11-25 14:40:31.161+00', 'given in advance with --approve', false, false, 1, '2026-11-25 14:40:30.603346+00', '2026-11-25 14:40:30.802+00', '2026-11-25 14:40:31.181+00');
INSERT INTO sync.run OVERRIDING SYSTEM VALUE VALUES (2, 1, 'complete', 'batch', 'command line', false, false, 1, 'd128cce2e6fb558246d74b3957c2efde7f01884a16a330da17fc6584bf05e790', 14, true, 'applied', '{"added": 0, "blocked": 1, "records": 4, "updated": 1, "rejected": 1, "unblocked": 0, "unchanged": 2}', '{"user/title": 3, "user/groups": 3, "profile/std:attribute:job-title": 1, "profile/std:attribute:telephone": 0, "user:tags/example:tag:card-number": 3}', '[{"count": 0, "guard": "first-run", "limit": 0, "value": 0, "breached": false}, {"count": 1, "guard": "blocked", "limit": 0.1, "value": 0.25, "breached": false}, {"count": 1, "guard": "updated", "limit": 0.75, "value": 0.25, "breached": false}, {"count": 1, "guard": "rejected", "limit": 0.01, "value": 0.25, "breached": false}, {"count": 0, "guard": "unreadable-usernames", "limit": 0, "value": 0, "breached": false}, {"count": 0, "guard": "record-count", "limit": 0.1, "value": 0, "breached": false}, {"count": 32, "guard": "file-size", "limit": 0.1, "value": 0.046579330422125184, "subject": "users", "breached": false}, {"count": 0, "guard": "group-loss", "limit": 0.25, "value": 0, "breached": false}, {"count": 1, "guard": "field-emptied", "limit": 0.2, "value": 0.16666666666666669, "subject": "profile/std:attribute:job-title", "breached": false}, {"count": 4, "guard": "empty", "limit": 0, "value": 4, "breached": false}]', '{"plan": 0.032, "apply": 0.02, "stage": 0.331}', 2, NULL, NULL, NULL, NULL, NULL, false, false, 2, '2026-11-25 14:40:31.792356+00', '2026-11-25 14:40:31.879+00', '2026-11-25 14:40:32.284+00');
INSERT INTO sync.run OVERRIDING SYSTEM VALUE VALUES (3, 1, 'held', 'batch', 'command line', false, false, 1, 'd128cce2e6fb558246d74b3957c2efde7f01884a16a330da17fc6584bf05e790', 34, false, NULL, '{"added": 1, "blocked": 0, "records": 4, "updated": 1, "rejected": 0, "unblocked": 0, "unchanged": 2}', '{"user/title": 4, "user/groups": 4, "profile/std:attribute:job-title": 1, "profile/std:attribute:telephone": 0, "user:tags/example:tag:card-number": 4}', '[{"count": 0, "guard": "first-run", "limit": 0, "value": 0, "breached": false}, {"count": 0, "guard": "blocked", "limit": 0.1, "value": 0, "breached": false}, {"count": 1, "guard": "updated", "limit": 0.75, "value": 0.3333333333333333, "breached": false}, {"count": 0, "guard": "rejected", "limit": 0.01, "value": 0, "breached": false}, {"count": 0, "guard": "unreadable-usernames", "limit": 0, "value": 0, "breached": false}, {"count": 0, "guard": "record-count", "limit": 0.1, "value": 0, "breached": false}, {"count": 10, "guard": "file-size", "limit": 0.1, "value": 0.015267175572519083, "subject": "users", "breached": false}, {"count": 1, "guard": "group-loss", "limit": 0.25, "value": 0.5, "subject": "example:group:students", "breached": false}, {"count": 0, "guard": "field-emptied", "limit": 0.2, "value": 0.08333333333333331, "subject": "profile/std:attribute:job-title", "breached": false}, {"count": 4, "guard": "empty", "limit": 0, "value": 4, "breached": false}]', '{"plan": 0.028, "apply": 0, "stage": 0.397}', 0, NULL, NULL, NULL, NULL, NULL, false, false, NULL, '2026-11-25 14:40:33.095056+00', '2026-11-25 14:40:33.174+00', NULL);

INSERT INTO sync.run_file VALUES (1, 'users', '878c308d1930306017d135b48cf87d1ff0efbc57f8bfdb29f1a233d00b78630a', 687, 'first.json', 'command line', '2026-11-25 14:40:30.603346+00');
INSERT INTO sync.run_file VALUES (2, 'users', 'c88f2ef160882fe8bb37c710b465395b85f360ddf2b12b2385c0c20a55cff1ca', 655, 'second.json', 'command line', '2026-11-25 14:40:31.792356+00');
INSERT INTO sync.run_file VALUES (3, 'users', '8968460f1c2242dc4ea55086969afe3a8e0e4ff0a3833f5a9511831fe4a40f09', 665, 'held.json', 'command line', '2026-11-25 14:40:33.095056+00');

INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (1, 1, '2026-11-25 14:40:30.80574+00', 'info', NULL, 'The run is planning, by command line.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (2, 1, '2026-11-25 14:40:31.12264+00', 'info', NULL, 'Read 4 records of users: 4 accepted, 0 of them with errors.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (3, 1, '2026-11-25 14:40:31.158487+00', 'info', NULL, 'Planned: 4 to add, 0 to update, 0 to block, 0 to unblock; 0 unchanged, 0 rejected.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (4, 1, '2026-11-25 14:40:31.159319+00', 'warn', 'first-run', 'Guard first-run is breached: nothing of this feed was applied before; 4 users would be added.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (5, 1, '2026-11-25 14:40:31.160745+00', 'info', NULL, 'The run is held, by command line: guards: first-run.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (6, 1, '2026-11-25 14:40:31.162321+00', 'info', NULL, 'The run is applying, by command line: given in advance with --approve.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (7, 1, '2026-11-25 14:40:31.177432+00', 'info', NULL, 'The run is complete: applied.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (8, 2, '2026-11-25 14:40:31.88126+00', 'info', NULL, 'The run is planning, by command line.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (9, 2, '2026-11-25 14:40:32.204407+00', 'error', 'invalid-email', 'The value is not an e-mail address with an `@`.', 'eve', 'users', 4, 30, 508, 'EMAIL', 'none');
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (10, 2, '2026-11-25 14:40:32.204648+00', 'error', 'missing-value', 'There is no value for `email` of the user, which every user needs.', 'eve', 'users', 4, 30, 508, 'EMAIL', NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (11, 2, '2026-11-25 14:40:32.217522+00', 'info', NULL, 'Read 4 records of users: 3 accepted, 0 of them with errors.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (12, 2, '2026-11-25 14:40:32.258414+00', 'info', NULL, 'Planned: 0 to add, 1 to update, 1 to block, 0 to unblock; 2 unchanged, 1 rejected.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (13, 2, '2026-11-25 14:40:32.259719+00', 'info', NULL, 'The run is applying, by command line.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (14, 2, '2026-11-25 14:40:32.280601+00', 'info', NULL, 'The run is complete: applied.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (15, 3, '2026-11-25 14:40:33.176081+00', 'info', NULL, 'The run is planning, by command line.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (16, 3, '2026-11-25 14:40:33.577475+00', 'info', NULL, 'Read 4 records of users: 4 accepted, 0 of them with errors.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (17, 3, '2026-11-25 14:40:33.613848+00', 'info', NULL, 'Planned: 1 to add, 1 to update, 0 to block, 0 to unblock; 2 unchanged, 0 rejected.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO sync.run_log OVERRIDING SYSTEM VALUE VALUES (18, 3, '2026-11-25 14:40:33.615259+00', 'info', NULL, 'The run is held, by command line: automatic apply is off.', NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO sync.run_transition VALUES (1, '2026-11-25 14:40:30.606083+00', 'uploading', 'ready', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (1, '2026-11-25 14:40:30.803096+00', 'ready', 'planning', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (1, '2026-11-25 14:40:31.160141+00', 'planning', 'held', 'command line', 'guards: first-run');
INSERT INTO sync.run_transition VALUES (1, '2026-11-25 14:40:31.161666+00', 'held', 'applying', 'command line', 'given in advance with --approve');
INSERT INTO sync.run_transition VALUES (1, '2026-11-25 14:40:31.181485+00', 'applying', 'complete', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (2, '2026-11-25 14:40:31.795194+00', 'uploading', 'ready', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (2, '2026-11-25 14:40:31.879781+00', 'ready', 'planning', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (2, '2026-11-25 14:40:32.259163+00', 'planning', 'applying', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (2, '2026-11-25 14:40:32.285187+00', 'applying', 'complete', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (3, '2026-11-25 14:40:33.097674+00', 'uploading', 'ready', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (3, '2026-11-25 14:40:33.175291+00', 'ready', 'planning', 'command line', NULL);
INSERT INTO sync.run_transition VALUES (3, '2026-11-25 14:40:33.614531+00', 'planning', 'held', 'command line', 'automatic apply is off');

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

INSERT INTO sync.stage_3 VALUES (0, 0, 1, 2, 3, 'ada', 'acf8aede-7770-2d5f-8b29-2a38605906f3', false, '{"user":{"email":"ada@example.org","title":"Dr","nameFirst":"Ada","nameLast":"Lovelace","groups":["example:group:staff"]},"tags":{"example:tag:card-number":"1ada"},"types":["std:type:person:staff"],"profile":{"dc:attribute:title":[{"value":{"first":"Ada","last":"Lovelace","title":"Dr"}}],"std:attribute:email":[{"value":"ada@example.org"}],"std:attribute:job-title":[{"value":"Professor"}]},"drop":{"profile":{"std:attribute:telephone":true}}}', '{
  "USERNAME": "ada",
  "TITLE": "Dr",
  "FIRST_NAME": "Ada",
  "LAST_NAME": "Lovelace",
  "EMAIL": "ada@example.org",
  "ROLE": "staff",
  "CARD": "1ada",
  "JOB_TITLE": "Professor"
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

SELECT pg_catalog.setval('directory.account_id_seq', 5, true);

SELECT pg_catalog.setval('directory.object_ref_seq', 7, true);

SELECT pg_catalog.setval('directory.version', 34, true);

SELECT pg_catalog.setval('sync.control_file_id_seq', 1, true);

SELECT pg_catalog.setval('sync.feed_id_seq', 1, true);

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

ALTER TABLE ONLY sync.model_object
    ADD CONSTRAINT model_object_pkey PRIMARY KEY (behaviour);

ALTER TABLE ONLY sync.model
    ADD CONSTRAINT model_pkey PRIMARY KEY (only_one);

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

CREATE INDEX account_email ON directory.account USING btree (lower(email));

CREATE INDEX account_profile ON directory.account USING btree (profile_ref);

CREATE INDEX membership_group ON directory.membership USING btree (group_code, account_id);

CREATE INDEX change_username ON sync.change USING btree (username, run_id);

CREATE INDEX control_file_feed ON sync.control_file USING btree (feed_id, id DESC);

CREATE INDEX feed_user_in_error ON sync.feed_user USING btree (feed_id) WHERE in_error;

CREATE INDEX run_feed ON sync.run USING btree (feed_id, id DESC);

CREATE INDEX run_log_run ON sync.run_log USING btree (run_id, id);

CREATE INDEX run_log_username ON sync.run_log USING btree (username) WHERE (username IS NOT NULL);

CREATE UNIQUE INDEX run_one_active ON sync.run USING btree (feed_id) WHERE (status = ANY (ARRAY['planning'::text, 'applying'::text]));

CREATE INDEX run_transition_run ON sync.run_transition USING btree (run_id);

CREATE INDEX stage_2_username_idx ON sync.stage_2 USING btree (username);

CREATE INDEX stage_3_username_idx ON sync.stage_3 USING btree (username);

CREATE TRIGGER forget_accounts AFTER DELETE ON directory.account REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION sync.forget_accounts();

CREATE TRIGGER forget_all_accounts AFTER TRUNCATE ON directory.account FOR EACH STATEMENT EXECUTE FUNCTION sync.forget_all_accounts();

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

ALTER TABLE ONLY sync.run_transition
    ADD CONSTRAINT run_transition_run_id_fkey FOREIGN KEY (run_id) REFERENCES sync.run(id) ON DELETE CASCADE;

