import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import { controlFile, findFeed } from '../../db/feeds.js';
import { InvalidFileError, UserSyncError, type Problem } from '../../lib/errors.js';
import { html, type Html } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { generateControlFile } from '../../mapping/generate.js';
import { readControlFile } from '../../sync/control.js';
import { mapSample, type MappedSample } from '../../sync/sample.js';
import type { HttpContext } from '../context.js';
import { attachment } from '../download.js';
import { numbered, problemList } from './feed-control-parts.js';
import { sendPage } from './layout.js';
import { modelExplorer } from './model-explorer.js';
import { choice, field, form, notice, number, plainChoices } from './parts.js';
import { mapping } from './person.js';
import { NO_PAGE } from './return-path.js';
import { requireSession } from './session.js';
import { queryOf, fieldOf, type Fields } from './request.js';

/** Enough to see how it works; whole files are tried with `preview`. */
const MOST_RECORDS = 50;

const EXAMPLE =
  '[\n  { "USERNAME": "ada", "FIRST_NAME": "Ada", "LAST_NAME": "Lovelace", "EMAIL": "ada@example.org", "ROLE": "staff" }\n]\n';

interface Tried {
  readonly mapped?: readonly MappedSample[];
  readonly problems?: readonly Problem[];
  readonly message?: string;
}

/** What a control file makes of a sample; the model; and a control file to start from. Nothing is kept. */
export function registerWorkbench(pages: FastifyInstance, context: HttpContext): void {
  const { app } = context;

  pages.get('/workbench', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const body = html`<h1>Workbench</h1>
      ${trial(session, (name) => (name === 'sample' ? EXAMPLE : ''))}
      ${modelExplorer(app.sync.model, queryOf(request, 'q'))}
      <section class="card">
        <h2>A control file to start from</h2>
        <p>It has every name of the model, with <code>TODO</code> for what only you know.</p>
        <p><a class="button" href="/workbench/control.json" download>Download it</a></p>
        <details>
          <summary>Show it</summary>
          <pre class="code" tabindex="0">${generated()}</pre>
        </details>
      </section>`;
    return sendPage(reply, { title: 'Workbench', session, active: '/workbench', body });
  });

  pages.post('/workbench', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    // As it is: problems name lines of it.
    const given: Fields = (name) => fieldOf(request, name) ?? '';
    const control = given('control').trim() === '' ? await controlOf(given('feed')) : given('control');
    const tried = await tryOut(control, given('sample'), given('file'));
    const body = html`<h1>Workbench</h1>
      ${trial(session, given)} ${outcome(tried, control)}`;
    const status = tried.mapped === undefined ? 400 : 200;
    return sendPage(reply, { title: 'Workbench', session, active: '/workbench', body, status });
  });

  pages.get('/workbench/control.json', NO_PAGE, async (request: FastifyRequest, reply) => {
    requireSession(request, 'view-runs');
    return reply.type('application/json').headers(attachment('control.json')).send(`${generated()}\n`);
  });

  function generated(): string {
    return JSON.stringify(generateControlFile(app.sync.model), undefined, 2);
  }

  async function controlOf(name: string): Promise<string> {
    const feed = await findFeed(app.database, name);
    const row = feed?.controlId == null ? undefined : await controlFile(app.database, feed.controlId);
    return row?.content ?? '';
  }

  async function tryOut(control: string, content: string, file: string): Promise<Tried> {
    try {
      const sample = { control, content, most: MOST_RECORDS, ...(file === '' ? {} : { file }) };
      // Found out here: from the thread only the message comes back.
      readControlFile(control, app.sync.language, 'The control file');
      return { mapped: await mapSample(app.sync, sample) };
    } catch (error) {
      if (error instanceof InvalidFileError) return { problems: error.problems };
      if (error instanceof UserSyncError) return { message: error.message };
      throw error;
    }
  }

  function trial(session: Session, given: Fields): Html {
    return html`<section class="card">
      <h2>Try a control file</h2>
      ${form(
        session,
        '/workbench',
        html`<div class="split">
            <div class="stack">
              ${choice('feed', 'The control file of the feed', plainChoices(Object.keys(app.config.feeds)), { chosen: given('feed') })}
              <div class="field">
                <label for="control">Or another one</label>
                <textarea id="control" name="control" spellcheck="false">${given('control')}</textarea>
              </div>
            </div>
            <div class="stack">
              ${field('file', 'Which of its files (the first unless told)', { value: given('file'), isRequired: false })}
              <div class="field">
                <label for="sample">A sample of it, as JSON, XML or a table</label>
                <textarea id="sample" name="sample" spellcheck="false">${given('sample')}</textarea>
              </div>
            </div>
          </div>
          <p class="actions"><button class="primary">Show what becomes of it</button></p>`,
        'stack wide-form',
      )}
    </section>`;
  }
}

function outcome({ mapped, problems, message }: Tried, control: string): Html {
  if (message !== undefined) return notice('bad', printable(message));
  if (problems !== undefined) {
    return html`<section class="card">
      <h2>Problems of the control file</h2>
      ${control.trim() === '' ? html`<p>This feed has none yet: paste one.</p>` : problemList(problems)}
      ${numbered(control)}
    </section>`;
  }
  return html`${(mapped ?? []).map((one) => {
    const { record, line, username, accepted, values, errors, more } = one;
    const rows = values.map(({ pointer, source, ...value }) => ({
      ...value,
      event: pointer === undefined ? undefined : { pointer, source },
    }));
    return html`<section class="card fold">
      <h2>
        Record ${number(record)}, line ${number(line)}: ${username === null ? 'no username' : printable(username)}
        <span class="badge ${accepted ? 'good' : 'bad'}">${accepted ? 'accepted' : 'rejected'}</span>
      </h2>
      ${mapping({ rows, line: { errors } })}
      ${more === 0 ? null : html`<p class="hint">And ${number(more)} values more.</p>`}
    </section>`;
  })}
  ${mapped?.length === 0 ? html`<p>The sample has no records.</p>` : null}
  ${mapped?.length === MOST_RECORDS ? html`<p class="hint">Only the first ${MOST_RECORDS} records are shown. <code>user-sync preview</code> takes whole files.</p>` : null}`;
}
