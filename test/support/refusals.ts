import { Client } from 'pg';
import { urlAs } from './database-roles.js';

/** What Postgres answers to a role that lacks a right. */
export const NOT_ALLOWED = '42501';

/** A connection of a role that a test made, to a test's database. */
export async function asRole(url: string, role: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: urlAs(url, role) });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** `allowed`, or the SQLSTATE of the refusal. */
export async function problemOf(client: Client, statement: string): Promise<string> {
  return client.query(statement).then(
    () => 'allowed',
    (error: unknown) => (error as { code: string }).code,
  );
}
