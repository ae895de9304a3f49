import { rm, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import type { App } from '../app.js';
import type { FeedConfig } from '../config/config.js';
import { missingAlarm, runsWithFiles, setAlarmedFor } from '../db/housekeeping.js';
import type { MissingBatchNotice } from '../domain/run-notice.js';
import type { Quarantine } from '../intake/quarantine.js';
import { removableFiles } from '../domain/retention.js';
import { expectedBatch } from '../schedule/expected-batch.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Removes batch files that no run needs any more, and what is left of files that nobody recorded, when they are a day old.
 *
 * @returns how many files were removed
 */
export async function removeOldFiles(app: App, now: Date): Promise<number> {
  const { store } = app.sync;
  const runs = await runsWithFiles(app.database);
  const removable = new Set(removableFiles(runs, (feed) => app.config.feeds[feed]?.retention, now));
  const needed = new Set(runs.flatMap(({ digests }) => digests).filter((digest) => !removable.has(digest)));
  let removed = 0;
  for await (const { digest, path } of store.list()) {
    const isOld = await stat(path).then(
      ({ ctimeMs }) => now.getTime() - ctimeMs > DAY_MS,
      () => false,
    );
    if (needed.has(digest) || !(removable.has(digest) || isOld)) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}

/**
 * Removes files from quarantine that nobody fetched in time.
 *
 * @returns how many
 */
export async function emptyQuarantine(app: App, quarantine: Quarantine, now: Date): Promise<number> {
  const before = now.getTime() - app.config.quarantineDays * DAY_MS;
  const old = (await quarantine.list()).filter(({ quarantinedAt }) => Date.parse(quarantinedAt) < before);
  let removed = 0;
  for (const { id, feed, originalFilename, reason } of old) {
    const about = { feed, quarantine: id, reason };
    try {
      await quarantine.delete(id);
      removed += 1;
      app.logger.info(`The file ${originalFilename} that was set aside is removed`, about);
    } catch (error) {
      app.logger.warn(`The file ${originalFilename} that was set aside cannot be removed`, { ...about, error });
    }
  }
  return removed;
}

/**
 * Tells that a feed's batch has not come by its deadline, once for each deadline. What was told is noted last: an alarm
 * that is raised twice, as the database went away meanwhile, is better than none.
 */
export async function tellMissingBatch(
  app: App,
  feed: string,
  now: Date,
  tell: (notice: MissingBatchNotice, targets: FeedConfig['report']) => void,
): Promise<void> {
  const { expect, report } = await app.feed(feed);
  const { by, days, timeZone } = expect;
  if (by === undefined) return;
  const history = await missingAlarm(app.database, feed);
  if (history === undefined) return;
  const { last, isAlarmDue } = expectedBatch({ by, days, timeZone }, { now, ...history });
  if (!isAlarmDue || last === null) return;
  const { lastBatchAt } = history;
  const about = { feed, at: now, url: null, deadline: last, timeZone, lastBatchAt };
  tell({ event: 'missing', id: randomUUID(), ...about }, report);
  await setAlarmedFor(app.database, feed, last);
}
