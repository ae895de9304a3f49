/** Locks that somebody waits for in this database: others on the same server are none of a test's business. */
export const WAITED_FOR_HERE = `select from pg_locks
  where not granted and database = (select oid from pg_database where datname = current_database())`;
