import type { FastifyInstance } from 'fastify';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { readPlanPages } from '../../db/changes.js';
import { findRun, runFiles } from '../../db/runs.js';
import { PLAN_CSV_HEAD, planCsvLines } from '../../domain/plan-export.js';
import { CHANGE_KINDS, type ChangeKind } from '../../domain/run.js';
import { UserSyncError } from '../../lib/errors.js';
import { actorOf, Actions } from '../actions.js';
import type { HttpContext } from '../context.js';
import { mustBeRun, queryOf, runIdOf } from './run-parts.js';
import { requireSession } from './session.js';

/** What is fetched as a file. Sent so that no browser shows it: what is in it comes from outside. */
export function registerRunDownloads(pages: FastifyInstance, context: HttpContext): void {
  const { database, sync } = context.app;
  const actions = new Actions(context);

  pages.get('/runs/:id/files/:name', { exposeHeadRoute: false }, async (request, reply) => {
    const session = requireSession(request, 'download');
    const id = runIdOf(request);
    mustBeRun(await findRun(database, id), id);
    const { name } = request.params as { readonly name: string };
    const file = (await runFiles(database, id)).find((known) => known.name === name);
    if (file === undefined) throw unknownFile(`Run ${id} has no file of this name.`);
    const handle = await open(sync.store.pathOf(file.digest), 'r').catch(() => undefined);
    if (handle === undefined)
      throw unknownFile(`The file ${name} of run ${id} is not kept any more (see \`retention\`).`);
    try {
      await actions.note(actorOf(session, request), 'file-downloaded', `run ${id}`, {
        file: name,
        digest: file.digest,
      });
    } catch (error) {
      await handle.close();
      throw error;
    }
    return reply
      .type('application/octet-stream')
      .headers({ ...PRIVATE, 'content-length': file.sizeBytes })
      .header('content-disposition', attachment(`run-${id}-${name}${endingOf(file.originalFilename)}`))
      .send(handle.createReadStream());
  });

  pages.get('/runs/:id/plan.csv', { exposeHeadRoute: false }, async (request, reply) => {
    const session = requireSession(request, 'see-people');
    const id = runIdOf(request);
    mustBeRun(await findRun(database, id), id);
    const kind = CHANGE_KINDS.find((known) => known === queryOf(request, 'kind'));
    await actions.note(actorOf(session, request), 'plan-downloaded', `run ${id}`, { kind });
    return reply
      .type('text/csv; charset=utf-8')
      .headers(PRIVATE)
      .header('content-disposition', attachment(`run-${id}-plan.csv`))
      .send(Readable.from(planCsv(context, id, kind)));
  });
}

const PRIVATE = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/** RFC 4180 ends lines with CR LF. */
async function* planCsv({ app }: HttpContext, id: number, kind: ChangeKind | undefined): AsyncGenerator<string> {
  yield `${PLAN_CSV_HEAD}\r\n`;
  for await (const page of readPlanPages(app.database, id, kind))
    yield page.flatMap((change) => planCsvLines(change).map((line) => `${line}\r\n`)).join('');
}

/** A name of ours: what the sender called the file has no say in where a browser puts it, but for `.json.gz` and the like. */
function attachment(name: string): string {
  return `attachment; filename="${name.replace(/[^A-Za-z0-9._-]/g, '_')}"`;
}

/** Only those of formats that batches have: nothing that a double click would run or show as a page. */
function endingOf(filename: string): string {
  return /(?:\.(?:json|jsonl|ndjson|csv|tsv|txt|xml))?(?:\.gz)?$/i.exec(filename)?.[0].toLowerCase() ?? '';
}

function unknownFile(message: string): UserSyncError {
  return new UserSyncError('file-unknown', message, { kind: 'usage' });
}
