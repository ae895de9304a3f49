import type { FastifyRequest } from 'fastify';
import { noteAudit, type Author } from '../db/audit.js';
import { findControlFile } from '../db/control-history.js';
import { feedOfUser } from '../db/feeds.js';
import { findRun, unknownRun, type RunRow } from '../db/runs.js';
import { mayUseFeed, type Principal } from '../domain/access.js';
import { UserSyncError } from '../lib/errors.js';
import { normaliseUsername } from '../mapping/username.js';
import { adoptAccount } from '../sync/adopt.js';
import { replaceControl } from '../sync/collect.js';
import { cancelRun, requestApproval } from '../sync/decide.js';
import { endOverride, lookAgain, pinValue, protectUser, type Override } from '../sync/overrides.js';
import { submitReapply, submitRevert } from '../sync/revert.js';
import { changeSettings } from '../settings/feed-settings.js';
import { assertFeed } from './authentication.js';
import type { HttpContext } from './context.js';

/** Who does something, and what they may. */
export interface Actor extends Author {
  readonly principal: Principal;
}

export function actorOf(principal: Principal, request: FastifyRequest): Actor {
  return { principal, by: principal.actor, address: request.ip };
}

/**
 * What people and keys decide over HTTP, in the web page as through the interface: done by the engine, which notes it in
 * the audit log. The route has asked whether they may; here is asked whether the feed is theirs.
 */
export class Actions {
  readonly #context: HttpContext;

  constructor(context: HttpContext) {
    this.#context = context;
  }

  /** @throws UserSyncError `run-unknown`, `run-status` or `forbidden` */
  async approve(actor: Actor, id: number, decision: { reason: string; withoutBlocks: boolean }): Promise<RunRow> {
    const run = await this.findRun(actor.principal, id);
    await requestApproval(this.#database, id, { ...actor, ...decision });
    return this.#wakeFor(run);
  }

  async cancel(actor: Actor, id: number, reason?: string): Promise<RunRow> {
    await this.findRun(actor.principal, id);
    return cancelRun(this.#database, id, actor, reason);
  }

  /** @returns the new run */
  async reapply(actor: Actor, id: number): Promise<RunRow> {
    await this.findRun(actor.principal, id);
    const made = await submitReapply(this.#context.app.sync, id, { ...actor, queued: true });
    return this.#wakeFor(await this.findRun(actor.principal, made));
  }

  /** @returns the new run */
  async revert(actor: Actor, id: number): Promise<RunRow> {
    await this.findRun(actor.principal, id);
    const made = await submitRevert(this.#context.app.sync, id, { ...actor, queued: true });
    return this.#wakeFor(await this.findRun(actor.principal, made));
  }

  async lookAgain(actor: Actor, username: string): Promise<void> {
    await this.#assertUser(actor.principal, username);
    await lookAgain(this.#database, username, actor);
  }

  async protect(actor: Actor, username: string, reason: string, until?: Date): Promise<void> {
    await this.#assertUser(actor.principal, username);
    await protectUser(this.#context.app.sync, username, {
      ...actor,
      reason,
      ...(until === undefined ? {} : { until }),
    });
  }

  async pin(
    actor: Actor,
    username: string,
    pin: { name: string; text: string },
    reason: string,
    until?: Date,
  ): Promise<void> {
    const options = { ...actor, reason, ...(until === undefined ? {} : { until }) };
    await this.#assertUser(actor.principal, username);
    await pinValue(this.#context.app.sync, username, pin, options);
  }

  async endOverride(actor: Actor, username: string, kind: Override['kind'], name: string | null): Promise<void> {
    await this.#assertUser(actor.principal, username);
    await endOverride(this.#context.app.sync, username, { kind, name }, actor);
  }

  /** @returns the account's id */
  async adopt(actor: Actor, adoption: { username: string; feed: string; email?: string }): Promise<number> {
    assertFeed(actor.principal, adoption.feed);
    // Adopting takes the user away from the feed that has them now.
    const owner = await feedOfUser(this.#database, normaliseUsername(adoption.username) ?? '');
    if (owner !== undefined) assertFeed(actor.principal, owner);
    return adoptAccount(this.#context.app.sync, { ...actor, ...adoption });
  }

  /**
   * Puts a control file in force for a feed. A batch that is complete by it starts as the feed says.
   *
   * @throws InvalidFileError `invalid-control-file` with every problem; the previous one stays in force
   */
  async replaceControl(actor: Actor, feed: string, text: string): Promise<void> {
    assertFeed(actor.principal, feed);
    const { app, daemon } = this.#context;
    const { start } = await app.feed(feed);
    const source = actor.principal.actor;
    const { completed } = await replaceControl(app.sync, { feed, text, what: 'The control file', source, start });
    if (completed?.queued === true) daemon.wake(feed);
    const inForce = await findControlFile(app.database, feed, 'current');
    await this.note(actor, 'control-replaced', `feed ${feed}`, { id: inForce?.id, digest: inForce?.digest });
  }

  /** @param changes by name; null takes a setting back */
  async changeSettings(actor: Actor, feed: string, changes: Readonly<Record<string, unknown>>): Promise<void> {
    assertFeed(actor.principal, feed);
    const { now } = this.#context;
    await changeSettings(this.#database, { ...actor, feed, changes, now: now() });
  }

  /** @throws UserSyncError `run-unknown`, or `forbidden` for a run of a feed that a key is not for */
  async findRun(principal: Principal, id: number): Promise<RunRow> {
    const run = await findRun(this.#database, id);
    if (run === undefined) throw unknownRun(id);
    assertFeed(principal, run.feed);
    return run;
  }

  /**
   * A key of one feed is not told who is in another one.
   *
   * @throws UserSyncError `user-unknown`
   */
  async #assertUser(principal: Principal, username: string): Promise<void> {
    if (principal.feed === null) return;
    const owner = await feedOfUser(this.#database, username.toLowerCase());
    if (owner !== undefined && mayUseFeed(principal, owner)) return;
    throw new UserSyncError('user-unknown', `No user "${username}" belongs to the feed of this key.`, {
      kind: 'usage',
    });
  }

  /** What is looked at or fetched; what is decided, the engine notes. */
  async note(
    actor: Actor,
    action: string,
    subject: string,
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    await noteAudit(this.#database, actor, { action, subject, details });
  }

  get #database(): HttpContext['app']['database'] {
    return this.#context.app.database;
  }

  #wakeFor(run: RunRow): RunRow {
    this.#context.daemon.wake(run.feed);
    return run;
  }
}
