import { createHash } from 'node:crypto';
import type { Connection, Database } from '../db/database.js';
import type { Model } from '../model/model.js';

/** Identifies a model in the books. */
export function modelDigest(model: Model): string {
  return createHash('sha256').update(model.source).digest('hex');
}

/**
 * Brings the directory's groups and classification objects in line with the model. Nothing is ever removed: a group that
 * left the model becomes unmanaged, so that its members stay as they are.
 */
export async function installModel(database: Database, model: Model): Promise<void> {
  const digest = modelDigest(model);
  const [installed] = await database.query<{ digest: string }>('select digest from sync.model');
  if (installed?.digest === digest) return;
  await database.transaction(async (connection) => {
    await connection.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', ['sync.model']);
    await installGroups(connection, model);
    await installObjects(connection, model);
    await installLinks(connection, model);
    await connection.query(
      `insert into sync.model (digest) values ($1)
       on conflict (only_one) do update set digest = excluded.digest, installed_at = now()`,
      [digest],
    );
  });
}

async function installGroups(connection: Connection, model: Model): Promise<void> {
  const groups = JSON.stringify(model.groups.map((group, position) => ({ ...group, position })));
  await connection.query(
    `insert into directory.user_group (code, name, managed, type_active, type_past, position)
     select code, title, managed, "typeActive", "typePast", position
     from json_to_recordset($1::json) as model_group
       (code text, title text, managed boolean, "typeActive" text, "typePast" text, position integer)
     on conflict (code) do update
     set name = excluded.name, managed = excluded.managed, type_active = excluded.type_active,
         type_past = excluded.type_past, position = excluded.position`,
    [groups],
  );
  await connection.query(
    `update directory.user_group set managed = false
     where managed and code not in (select code from json_to_recordset($1::json) as model_group (code text))`,
    [groups],
  );
}

/** Objects keep their ref for good: values in profiles refer to it. */
async function installObjects(connection: Connection, model: Model): Promise<void> {
  const objects = JSON.stringify(model.objects);
  await connection.query(
    `with wanted as (
       select behaviour, array[type] as types,
              jsonb_build_object(
                'dc:attribute:title', jsonb_build_array(jsonb_build_object('value', title)),
                'std:attribute:configured-behaviour', jsonb_build_array(jsonb_build_object('value', behaviour))
              ) as attributes
       from json_to_recordset($1::json) as object (behaviour text, type text, title text)
     ),
     changed as (
       update directory.object
       set types = wanted.types, attributes = object.attributes || wanted.attributes, updated_at = now()
       from wanted join sync.model_object using (behaviour)
       where object.ref = model_object.ref
         and (object.types <> wanted.types or not object.attributes @> wanted.attributes)
     ),
     missing as materialized (
       select wanted.*, nextval('directory.object_ref_seq') as ref
       from wanted where not exists (select from sync.model_object where model_object.behaviour = wanted.behaviour)
     ),
     added as (
       insert into directory.object (ref, types, attributes) select ref, types, attributes from missing
     )
     insert into sync.model_object (behaviour, ref) select behaviour, ref from missing`,
    [objects],
  );
}

/** Has the owners of dependent objects noted, whoever makes or links them. */
async function installLinks(connection: Connection, model: Model): Promise<void> {
  const links = model.dependents.flatMap(({ objectType, link }) =>
    typesOfKind(model, objectType).map((type) => ({ type, attribute: link })),
  );
  const types = [...new Set(links.map(({ type }) => type))];
  await connection.query('delete from sync.model_link');
  await connection.query(
    `insert into sync.model_link (type, attribute)
     select distinct type, attribute from json_to_recordset($1::json) as link (type text, attribute text)`,
    [JSON.stringify(links)],
  );
  await connection.query('select sync.watch_links($1::text[])', [types]);
  // Those that were linked before anybody watched, or by another attribute; and those that are not linked any more.
  await connection.query(`update directory.object set attributes = attributes where types && $1::text[]`, [types]);
  await connection.query(
    'update directory.object set owner = null where owner is not null and not types && $1::text[]',
    [types],
  );
}

/** The type and all below it. */
export function typesOfKind(model: Model, kind: string): string[] {
  return model.types.map(({ code }) => code).filter((code) => model.isKindOf(code, kind));
}
