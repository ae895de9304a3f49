import type { FastifyInstance, FastifyRequest } from 'fastify';
import { randomInt } from 'node:crypto';
import { addOperator, checkSignIn } from '../../access/operators.js';
import { SHORTEST_PASSWORD } from '../../access/passwords.js';
import { isSameSecret } from '../../access/secrets.js';
import { listOperators } from '../../db/operators.js';
import { UserSyncError } from '../../lib/errors.js';
import { html, type Html } from '../../lib/html.js';
import type { HttpContext } from '../context.js';
import { tooManyRequests } from '../errors.js';
import { sendPage } from './layout.js';
import { field, notice } from './parts.js';
import { type PageSessions } from './session.js';
import { fieldOf, queryOf, refusalOf, givenIn, type RefusedForm } from './request.js';
import { localPath } from './return-path.js';

const ATTEMPTS_PER_MINUTE = 10;

/** Signing in and out, and making the first admin. */
export function registerSignIn(pages: FastifyInstance, context: HttpContext, sessions: PageSessions): void {
  const { app, now } = context;
  const setupCode = new SetupCode(context);
  const countAttempt = pages.createRateLimit({ max: ATTEMPTS_PER_MINUTE, timeWindow: 60_000 });
  const limitAttempts = async (request: FastifyRequest): Promise<void> => {
    const limit = await countAttempt(request);
    if (!limit.isAllowed && limit.isExceeded) throw tooManyRequests();
  };

  pages.get('/sign-in', async (request, reply) => {
    const to = localPath(queryOf(request, 'to'));
    if (request.session !== null) return reply.redirect(to ?? '/', 303);
    if (await setupCode.isNeeded()) return reply.redirect('/setup', 303);
    const problem = queryOf(request, 'unsent') === undefined ? undefined : UNSENT;
    return sendPage(reply, { title: 'Sign in', session: null, body: signInForm({ to, problem }) });
  });

  pages.post('/sign-in', async (request, reply) => {
    await limitAttempts(request);
    const name = fieldOf(request, 'name') ?? '';
    const password = fieldOf(request, 'password') ?? '';
    const to = localPath(fieldOf(request, 'to'));
    const operator = await checkSignIn(app.database, { name, password, now: now(), address: request.ip });
    if (operator === undefined) {
      const body = signInForm({ name, to, problem: WRONG });
      return sendPage(reply, { title: 'Sign in', session: null, body, status: 401 });
    }
    await sessions.open(request, reply, operator.id);
    return reply.redirect(to ?? '/', 303);
  });

  pages.post('/sign-out', async (request, reply) => {
    await sessions.close(request, reply);
    return reply.redirect('/sign-in', 303);
  });

  pages.get('/setup', async (_request, reply) => {
    if (!(await setupCode.isNeeded())) return reply.redirect('/sign-in', 303);
    return sendPage(reply, { title: 'Set up', session: null, body: setupForm() });
  });

  pages.post('/setup', async (request, reply) => {
    await limitAttempts(request);
    if (!(await setupCode.isNeeded())) return reply.redirect('/sign-in', 303);
    const name = fieldOf(request, 'name') ?? '';
    const password = fieldOf(request, 'password') ?? '';
    try {
      setupCode.assert(fieldOf(request, 'code') ?? '');
      if (password !== fieldOf(request, 'again'))
        throw new UserSyncError('password', 'The two passwords are not the same.', { kind: 'usage' });
      const author = { by: 'first set-up', address: request.ip };
      const admin = await addOperator(app.database, { name, role: 'admin', password }, author);
      await sessions.open(request, reply, admin.id);
      return await reply.redirect('/', 303);
    } catch (error) {
      const refused = refusalOf(request, error);
      return sendPage(reply, { title: 'Set up', session: null, body: setupForm(refused), status: refused.status });
    }
  });
}

/**
 * While nobody may sign in, whoever reads the program's log may make the first admin; not just whoever finds the port
 * first.
 */
class SetupCode {
  readonly #context: HttpContext;
  #code: string | undefined;

  constructor(context: HttpContext) {
    this.#context = context;
  }

  async isNeeded(): Promise<boolean> {
    const isNeeded = (await listOperators(this.#context.app.database)).length === 0;
    if (isNeeded && this.#code === undefined) {
      this.#code = String(randomInt(10 ** 7, 10 ** 8));
      this.#context.app.logger.warn(`Nobody may sign in yet. The code for the page /setup is ${this.#code}`);
    }
    return isNeeded;
  }

  assert(given: string): void {
    if (this.#code !== undefined && isSameSecret(given.trim(), this.#code)) return;
    throw new UserSyncError('setup-code', 'This is not the code that the log of user-sync shows.', { kind: 'usage' });
  }
}

const UNSENT = 'Your session had ended, so what you sent was not done. Sign in, then do it again.';
const WRONG =
  'This name and password do not go together, or too many wrong ones were tried. Wait a moment and try again.';

interface SignInForm {
  readonly name?: string;
  /** Where it leads. */
  readonly to: string | undefined;
  readonly problem: string | undefined;
}

function signInForm({ name = '', to, problem }: SignInForm): Html {
  return html`<section class="card narrow">
    <h1>Sign in</h1>
    ${problem === undefined ? null : notice('bad', problem)}
    <form method="post" action="/sign-in" class="stack">
      ${to === undefined ? null : html`<input type="hidden" name="to" value="${to}" />`}
      ${field('name', 'Name', { value: name, autocomplete: 'username' })}
      ${field('password', 'Password', { type: 'password', autocomplete: 'current-password' })}
      <button class="primary">Sign in</button>
    </form>
    <p class="hint">
      No account, or the password is lost? Whoever runs the server adds people with
      <code>user-sync admins add NAME</code>.
    </p>
  </section>`;
}

function setupForm(refused?: RefusedForm): Html {
  const given = givenIn(refused);
  return html`<section class="card narrow">
    <h1>Welcome to User sync</h1>
    <p>Nobody may sign in yet. Make the first admin here; more people are added later, under Access.</p>
    ${refused === undefined ? null : notice('bad', refused.problem)}
    <form method="post" action="/setup" class="stack">
      ${field('code', 'Set-up code', { value: given('code'), hint: 'Eight digits. The program wrote them to its log when this page was opened.' })}
      ${field('name', 'Your name', { value: given('name'), autocomplete: 'username', hint: 'What you sign in with.' })}
      ${field('password', 'Password', { type: 'password', autocomplete: 'new-password', hint: `At least ${SHORTEST_PASSWORD} characters. Several words do well.` })}
      ${field('again', 'Password again', { type: 'password', autocomplete: 'new-password' })}
      <button class="primary">Make the first admin</button>
    </form>
  </section>`;
}
