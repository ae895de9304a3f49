import type { FastifyInstance } from 'fastify';
import type { Session } from '../../access/sessions.js';
import { findControlFile, listControlFiles } from '../../db/control-history.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { settingsInForce } from '../../settings/feed-settings.js';
import { expectedFiles, type ExpectedFiles } from '../../sync/expected-files.js';
import type { HttpContext } from '../context.js';
import { controlCard } from './feed-control-parts.js';
import { feedNameOf } from './feed-name.js';
import { settingsCard, type RefusedSetting } from './feed-settings-form.js';
import { quarantineCard } from './feed-quarantine.js';
import { sendPage } from './layout.js';
import { requireSession } from './session.js';

/** Control files that are listed; older ones are found over the interface. */
const MOST_VERSIONS = 100;

/** How each feed is looked after: what is in force, why, and the forms to change it. */
export function registerFeeds(pages: FastifyInstance, context: HttpContext): void {
  const { app } = context;

  pages.get('/feeds', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const cards = await Promise.all(Object.keys(app.config.feeds).map((name) => feedCard(context, name)));
    const body = html`<h1>Feeds</h1>
      <div class="grid">${cards}</div>
      <p class="hint">
        Feeds are added in the
        configuration${app.config.file === undefined ? '' : html` (<code>${app.config.file}</code>)`}, under
        <code>feeds</code>.
      </p>`;
    return sendPage(reply, { title: 'Feeds', session, active: '/feeds', body });
  });

  pages.get('/feeds/:name', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const name = feedNameOf(request, context);
    const body = await feedPage(context, session, name);
    return sendPage(reply, { title: `Feed ${name}`, session, active: '/feeds', body });
  });
}

/** @param refused the form of a setting that was sent, with what is wrong */
export async function feedPage(
  context: HttpContext,
  session: Session,
  name: string,
  refused?: RefusedSetting,
): Promise<Html> {
  const { app, daemon } = context;
  const [expected, control, settings, history, quarantined] = await Promise.all([
    expectedFiles(app.sync, name),
    findControlFile(app.database, name, 'current'),
    settingsInForce(app.database, app.config, name),
    listControlFiles(app.database, name, { limit: MOST_VERSIONS }),
    daemon.quarantine.list(),
  ]);
  return html`<h1>Feed ${name}</h1>
    ${arrivals(context, name, expected)}
    ${settingsCard(session, name, settings, app.config.mail.smtpUrl !== undefined, refused)}
    ${controlCard(session, name, control, history, expected.kind === 'unusable' ? expected.error.problems : undefined)}
    ${quarantineCard(
      session,
      name,
      quarantined.filter((record) => record.feed === name),
    )}`;
}

const CONTROL_STATES: Readonly<Record<ExpectedFiles['kind'], HtmlValue>> = {
  listed: 'in force',
  'no-control': html`<span class="badge warn">none yet</span>`,
  unusable: html`<span class="badge bad">cannot be used</span>`,
};

async function feedCard({ app }: HttpContext, name: string): Promise<Html> {
  const [expected, settings] = await Promise.all([
    expectedFiles(app.sync, name),
    settingsInForce(app.database, app.config, name),
  ]);
  const set = settings.filter(({ from }) => from === 'operator').map((setting) => setting.name);
  return html`<section class="card">
    <h2><a href="/feeds/${name}">${name}</a></h2>
    <dl class="facts">
      <dt>Control file</dt>
      <dd>${CONTROL_STATES[expected.kind]}</dd>
      <dt>Drop directory</dt>
      <dd><code>${printable(app.config.feeds[name]?.dropDirectory ?? '')}</code></dd>
      <dt>Set here</dt>
      <dd>${set.length === 0 ? 'nothing: as configured' : set.join(', ')}</dd>
    </dl>
  </section>`;
}

function arrivals({ app }: HttpContext, name: string, expected: ExpectedFiles): Html {
  return html`<section class="card">
    <h2>How files come</h2>
    <dl class="facts">
      <dt>Drop directory</dt>
      <dd><code>${printable(app.config.feeds[name]?.dropDirectory ?? '')}</code></dd>
      <dt>A batch has</dt>
      <dd>${files(expected)}</dd>
      <dt>Also taken</dt>
      <dd>
        <code>_control.json</code>, a new control file; <code>_start</code>, the signal to start;
        <code>NAME.done</code> and <code>NAME.sha256</code> beside a file
      </dd>
    </dl>
  </section>`;
}

function files(expected: ExpectedFiles): HtmlValue {
  if (expected.kind === 'no-control') return 'what the control file will list: there is none yet, so files wait';
  if (expected.kind === 'unusable') {
    return html`what another <a href="#control">control file</a> will list: the one in force cannot be used any more, so
      files wait`;
  }
  const listed = expected.names;
  return html`${listed.map((name, index) => html`${index === 0 ? '' : ', '}<code>${printable(name)}</code>`)} (with any
    ending, such as <code>${printable(listed[0] ?? 'users')}.json</code> or <code>.json.gz</code>)`;
}
