import type { FastifyInstance } from 'fastify';
import { FEED_OVERRIDE_NAMES } from '../../config/feed-overrides.js';
import { UserSyncError } from '../../lib/errors.js';
import { Actions, actorOf } from '../actions.js';
import type { HttpContext } from '../context.js';
import { settingIn } from './feed-settings-form.js';
import { feedNameOf } from './feed-name.js';
import { feedPage } from './feeds.js';
import { sendPage } from './layout.js';
import { refusalOf } from './request.js';
import { requireSession } from './session.js';

/** Changing one setting of a feed, or taking it back to what the configuration says. */
export function registerFeedSettings(pages: FastifyInstance, context: HttpContext): void {
  const actions = new Actions(context);

  pages.post('/feeds/:name/settings/:setting', async (request, reply) => {
    const session = requireSession(request, 'configure');
    const feed = feedNameOf(request, context);
    const { setting } = request.params as { readonly setting: string };
    const name = FEED_OVERRIDE_NAMES.find((known) => known === setting);
    if (name === undefined) throw new UserSyncError('invalid-settings', 'There is no such setting.', { kind: 'usage' });
    try {
      await actions.changeSettings(actorOf(session, request), feed, { [name]: settingIn(name, request) });
      return await reply.redirect(`/feeds/${feed}#${name}`, 303);
    } catch (error) {
      const refused = refusalOf(request, error);
      const body = await feedPage(context, session, feed, { name, ...refused });
      return sendPage(reply, { title: `Feed ${feed}`, session, active: '/feeds', body, status: refused.status });
    }
  });
}
