import type { FastifyInstance } from 'fastify';
import { readPlanPages } from '../../db/changes.js';
import { findRun, runFiles } from '../../db/runs.js';
import { PLAN_CSV_HEAD, planCsvLines } from '../../domain/plan-export.js';
import { CHANGE_KINDS, type ChangeKind } from '../../domain/run.js';
import { UserSyncError } from '../../lib/errors.js';
import { actorOf, Actions } from '../actions.js';
import type { HttpContext } from '../context.js';
import { sendDownload } from '../download.js';
import { sendLines } from '../line-stream.js';
import { mustBeRun, runIdOf } from './run-parts.js';
import { NO_PAGE } from './return-path.js';
import { requireSession } from './session.js';
import { queryOf } from './request.js';

/** What is fetched as a file. Sent so that no browser shows it: what is in it comes from outside. */
export function registerRunDownloads(pages: FastifyInstance, context: HttpContext): void {
  const { database, sync, logger } = context.app;
  const actions = new Actions(context);

  pages.get('/runs/:id/files/:name', NO_PAGE, async (request, reply) => {
    const session = requireSession(request, 'download');
    const id = runIdOf(request);
    mustBeRun(await findRun(database, id), id);
    const { name } = request.params as { readonly name: string };
    const file = (await runFiles(database, id)).find((known) => known.name === name);
    if (file === undefined) throw unknownFile(`Run ${id} has no file of this name.`);
    return sendDownload(reply, {
      path: sync.store.pathOf(file.digest),
      filename: `run-${id}-${name}${endingOf(file.originalFilename)}`,
      missing: () => unknownFile(`The file ${name} of run ${id} is not kept any more (see \`retention\`).`),
      note: () =>
        actions.note(actorOf(session, request), 'file-downloaded', `run ${id}`, { file: name, digest: file.digest }),
    });
  });

  pages.get('/runs/:id/plan.csv', NO_PAGE, async (request, reply) => {
    const session = requireSession(request, 'see-people');
    const id = runIdOf(request);
    mustBeRun(await findRun(database, id), id);
    const kind = CHANGE_KINDS.find((known) => known === queryOf(request, 'kind'));
    await actions.note(actorOf(session, request), 'plan-downloaded', `run ${id}`, { kind });
    const lines = planCsv(context, id, kind);
    return sendLines(reply, { format: 'csv', filename: `run-${id}-plan`, lines, logger });
  });
}

/** RFC 4180 ends lines with CR LF. */
async function* planCsv({ app }: HttpContext, id: number, kind: ChangeKind | undefined): AsyncGenerator<string> {
  yield `${PLAN_CSV_HEAD}\r\n`;
  for await (const page of readPlanPages(app.database, id, kind))
    yield page.flatMap((change) => planCsvLines(change).map((line) => `${line}\r\n`)).join('');
}

/** Of what the sender called the file, the ending: only of formats that batches have, which no double click runs. */
function endingOf(filename: string): string {
  return /(?:\.(?:json|jsonl|ndjson|csv|tsv|txt|xml))?(?:\.gz)?$/i.exec(filename)?.[0].toLowerCase() ?? '';
}

function unknownFile(message: string): UserSyncError {
  return new UserSyncError('file-unknown', message, { kind: 'usage' });
}
