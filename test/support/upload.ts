import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HttpSite } from './http-site.js';

export const API = '/api/haplo-user-sync';

/** A part of a form: a field, or a file. */
export type Part = readonly [name: string, value: string | File];

/** What a script got. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export function basic(secret: string, user = 'haplo'): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` };
}

export function fileOf(content: string | object, filename = 'users.json'): File {
  return new File([typeof content === 'string' ? content : JSON.stringify(content)], filename);
}

export function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Calls of a script with one key. */
export class Uploader {
  constructor(
    private readonly http: HttpSite,
    private readonly headers: Readonly<Record<string, string>>,
  ) {}

  /** @param parts in the order in which they are sent */
  send(parts: readonly Part[], query = ''): Promise<Answer> {
    const form = new FormData();
    for (const [name, value] of parts) form.append(name, value);
    return this.post(`/upload-file${query}`, form);
  }

  file(name: string, content: string | object, query = ''): Promise<Answer> {
    const parts: Part[] = [
      ['name', name],
      ['file', fileOf(content)],
    ];
    return this.send(parts, query);
  }

  start(form: '' | '/json' | '/xml' = '', query = ''): Promise<Answer> {
    return this.post(`/start-sync${form}${query}`);
  }

  async post(
    path: string,
    body?: RequestInit['body'],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const init = { method: 'POST', headers: { ...this.headers, ...headers }, ...(body === undefined ? {} : { body }) };
    const response = await this.http.fetch(`${API}${path}`, init);
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      text: await response.text(),
    };
  }
}

/** Names of the files below the store, those that are still coming too. */
export async function storedFiles(sitePath: string): Promise<string[]> {
  const entries = await readdir(join(sitePath, 'var', 'store'), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
