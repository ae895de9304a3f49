import { z } from 'zod';
import { readLog, logPage, type RunLogEntry } from '../../db/run-log.js';
import type { Principal } from '../../domain/access.js';
import { formatQuery, formatWanted, MEDIA_TYPES, sendLines } from '../line-stream.js';
import type { Api } from './operation.js';
import { pageOf, pageSchema } from './page.js';
import { limit, number } from './request-values.js';
import { runParams } from './run-schemas.js';

const FORMATS = ['json', 'ndjson'] as const;

const entry = z.object({
  at: z.date(),
  level: z.enum(['info', 'warn', 'error']),
  code: z.string().nullable(),
  message: z.string(),
  username: z.string().nullable(),
  file: z.string().nullable(),
  record: z.int().nullable(),
  line: z.int().nullable(),
  byte: z.int().nullable(),
  source: z.string().nullable(),
  value: z.string().nullable().optional().describe('What stood there; only for keys that may `see-people`'),
});

export function registerRunLog(api: Api): void {
  const { context, actions } = api;
  const { database, logger } = context.app;
  api.operation(
    {
      id: 'getRunLog',
      method: 'GET',
      url: '/runs/:run/log',
      tag: 'runs',
      summary: "A run's log",
      description: 'A page as JSON; the whole log as NDJSON.',
      capability: 'view-runs',
      params: runParams,
      query: z.object({
        errors: z.enum(['true', 'false']).default('false').describe('Errors only'),
        after: number.optional().describe('`next` of the page before'),
        limit,
        format: formatQuery(FORMATS),
      }),
      answer: pageSchema(entry),
      media: { [MEDIA_TYPES.ndjson]: { schema: entry } },
    },
    async ({ principal, params, query, request, reply }) => {
      const run = await actions.findRun(principal, params.run);
      const errorsOnly = query.errors === 'true';
      const format = query.format ?? formatWanted(request, FORMATS);
      if (format !== 'json') {
        const lines = jsonLines(readLog(database, run.id, { errorsOnly }), principal);
        return sendLines(reply, { format: 'ndjson', filename: `run-${run.id}-log`, lines, logger });
      }
      const levels = errorsOnly ? { levels: ['error'] as const } : {};
      const page = { ...levels, after: query.after ?? 0, limit: query.limit + 1 };
      const rows = await logPage(database, run.id, page);
      const { items, next } = pageOf(rows, query.limit, ({ id }) => id);
      return { items: items.map((item) => visible(item, principal)), next };
    },
  );
}

/** Values are parts of records: whoever may not see people gets none. */
function visible<Entry extends RunLogEntry>(
  logged: Entry,
  principal: Principal,
): Omit<Entry, 'value'> & { value?: string | null } {
  const { value, ...rest } = logged;
  return principal.may('see-people') ? { ...rest, value } : rest;
}

async function* jsonLines(
  entries: AsyncIterable<RunLogEntry>,
  principal: Principal,
): AsyncGenerator<string, void, undefined> {
  for await (const logged of entries) yield `${JSON.stringify(visible(logged, principal))}\n`;
}
