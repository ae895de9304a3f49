import type { FastifyInstance } from 'fastify';
import { html } from '../../lib/html.js';
import type { HttpContext } from '../context.js';
import { logError, publicError } from '../errors.js';
import { sendPage } from './layout.js';
import { registerAccess } from './access.js';
import { registerAccessRemoval } from './access-removal.js';
import { registerAccount } from './account.js';
import { registerFeedControl } from './feed-control.js';
import { registerFeedQuarantine } from './feed-quarantine.js';
import { registerFeedSettings } from './feed-settings.js';
import { registerFeeds } from './feeds.js';
import { registerPeople } from './people.js';
import { registerPersonActions } from './person-actions.js';
import { registerOverview } from './overview.js';
import { registerRun } from './run.js';
import { registerRunDecisions } from './run-decisions.js';
import { registerRunDownloads } from './run-downloads.js';
import { registerRunLive } from './run-live.js';
import { registerRunLog } from './run-log.js';
import { registerRunPlan } from './run-plan.js';
import { registerRuns } from './runs.js';
import { signInPath } from './return-path.js';
import { PageSessions, SignInNeeded } from './session.js';
import { registerSignIn } from './sign-in.js';
import { registerWorkbench } from './workbench.js';

/** The web page for operators: everything rendered here, plain forms, and a little script for what is live. */
export async function registerPages(pages: FastifyInstance, context: HttpContext): Promise<void> {
  const sessions = new PageSessions(context);
  sessions.register(pages);
  pages.setErrorHandler(async (error, request, reply) => {
    if (error instanceof SignInNeeded) return reply.redirect(signInPath(request), 303);
    const shown = publicError(error, request);
    logError(context.app.logger, error, request, shown);
    const body = html`<section class="card narrow">
      <h1>${shown.status === 403 ? 'Not allowed' : shown.status === 404 ? 'Not found' : 'That did not work'}</h1>
      <p>${shown.message}</p>
      <p><a href="/">To the overview</a></p>
    </section>`;
    return sendPage(reply, { title: 'Error', session: request.session, body, status: shown.status });
  });
  registerSignIn(pages, context, sessions);
  registerAccount(pages, context, sessions);
  registerOverview(pages, context);
  registerRuns(pages, context);
  registerRun(pages, context);
  registerRunPlan(pages, context);
  registerRunLog(pages, context);
  registerRunLive(pages, context);
  registerRunDownloads(pages, context);
  registerRunDecisions(pages, context);
  registerPeople(pages, context);
  registerPersonActions(pages, context);
  registerAccess(pages, context);
  registerAccessRemoval(pages, context);
  registerFeeds(pages, context);
  registerFeedSettings(pages, context);
  registerFeedControl(pages, context);
  registerFeedQuarantine(pages, context);
  registerWorkbench(pages, context);
  return Promise.resolve();
}
