import type { FastifyInstance } from 'fastify';
import { html } from '../../lib/html.js';
import type { HttpContext } from '../context.js';
import { sendPage } from './layout.js';
import { requireSession } from './session.js';

export function registerOverview(pages: FastifyInstance, _context: HttpContext): void {
  pages.get('/', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    return sendPage(reply, { title: 'Overview', session, active: '/', body: html`<h1>Overview</h1>` });
  });
}
