import { z } from 'zod';
import { BEFORE_FIRST, planPage, readPlan } from '../../db/changes.js';
import { PLAN_CSV_HEAD, planCsvLines, planLine } from '../../domain/plan-export.js';
import { CHANGE_KINDS, type ChangeKind, type PlannedChange } from '../../domain/run.js';
import { formatQuery, formatWanted, MEDIA_TYPES, sendLines } from '../line-stream.js';
import type { Api } from './operation.js';
import { pageOf, pageSchema, type Page } from './page.js';
import { after, limit, text } from './request-values.js';
import { runParams } from './run-schemas.js';

const FORMATS = ['json', 'ndjson', 'csv'] as const;

const state = z.record(z.string(), z.unknown());

const plannedChange = z.object({
  kind: z.enum(CHANGE_KINDS),
  username: z.string(),
  applied: z.boolean(),
  before: state.nullable().describe('Null for a user to add'),
  after: state,
});

const kind = z.enum(CHANGE_KINDS).optional();

interface PlanQuery {
  readonly kind?: ChangeKind | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
}

/** What a run would do, or did, user by user. */
export function registerRunPlan(api: Api): void {
  const { context, actions } = api;
  const { database, logger } = context.app;

  const pageOfPlan = async (
    run: number,
    query: PlanQuery,
    text?: string,
  ): Promise<Page<z.output<typeof plannedChange>>> => {
    const rows = await planPage(database, run, {
      ...(query.kind === undefined ? {} : { kind: query.kind }),
      ...(text === undefined ? {} : { text }),
      after: query.after ?? BEFORE_FIRST,
      limit: query.limit + 1,
    });
    const { items, next } = pageOf(rows, query.limit, ({ ordinal }) => ordinal);
    return { items: items.map(lineOf), next };
  };

  api.operation(
    {
      id: 'getRunPlan',
      method: 'GET',
      url: '/runs/:run/plan',
      tag: 'runs',
      summary: "A run's planned changes with before and after",
      description: 'A page as JSON; the whole plan as NDJSON or CSV.',
      capability: 'see-people',
      params: runParams,
      query: z.object({ kind, after, limit, format: formatQuery(FORMATS) }),
      answer: pageSchema(plannedChange),
      media: { [MEDIA_TYPES.ndjson]: { schema: plannedChange }, [MEDIA_TYPES.csv]: { schema: z.string() } },
    },
    async ({ actor, params, query, request, reply }) => {
      const run = await actions.findRun(actor.principal, params.run);
      const format = query.format ?? formatWanted(request, FORMATS);
      if (format === 'json') return pageOfPlan(run.id, query);
      await actions.note(actor, 'plan-downloaded', `run ${run.id}`, { kind: query.kind, format });
      const changes = readPlan(database, run.id, query.kind);
      const lines = format === 'csv' ? csvLines(changes) : jsonLines(changes);
      return sendLines(reply, { format, filename: `run-${run.id}-plan`, lines, logger });
    },
  );
  api.operation(
    {
      id: 'searchRunPlan',
      method: 'POST',
      url: '/runs/:run/plan/search',
      tag: 'runs',
      summary: "A run's planned changes of users whose names hold a text",
      description: 'A search is sent, as addresses with names of people would end up in logs.',
      capability: 'see-people',
      params: runParams,
      body: z.object({
        username: text(255).describe('Part of the username, in any case'),
        kind,
        after,
        limit,
      }),
      answer: pageSchema(plannedChange),
    },
    async ({ actor, params, body }) => {
      const run = await actions.findRun(actor.principal, params.run);
      await actions.note(actor, 'plan-searched', `run ${run.id}`);
      return pageOfPlan(run.id, body, body.username);
    },
  );
}

function lineOf(change: PlannedChange): z.output<typeof plannedChange> {
  const { before, after: state, ...rest } = planLine(change);
  return { ...rest, before: before === null ? null : { ...before }, after: { ...state } };
}

async function* jsonLines(changes: AsyncIterable<PlannedChange>): AsyncGenerator<string, void, undefined> {
  for await (const change of changes) yield `${JSON.stringify(planLine(change))}\n`;
}

async function* csvLines(changes: AsyncIterable<PlannedChange>): AsyncGenerator<string, void, undefined> {
  yield `${PLAN_CSV_HEAD}\n`;
  for await (const change of changes) {
    yield planCsvLines(change)
      .map((line) => `${line}\n`)
      .join('');
  }
}
