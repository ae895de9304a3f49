import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { demoPerson, scramble, type DemoRecord } from './people.js';

/** The fates of the first people, so that the smallest feed has one who stays, a returner, a leaver and a change. */
const SURE_FATES: readonly (number | undefined)[] = [99, 0, 2, 4];

/** The days that a demo lives through. On the third there are joiners, changes, leavers and returners. */
export const DEMO_DAYS = ['the first batch', 'some people leave', 'joiners, changes, leavers and returners'] as const;

/**
 * Who is in the feed on a day (from 0) and in which revision. Shares of a feed of `users`: on the second day 2 % are
 * gone; on the third half of those are back, 2 % others are gone, 5 % changed and 3 % joined.
 *
 * @returns undefined for someone who is not in the batch.
 */
function revisionOn(day: number, seed: number, users: number, number: number): number | undefined {
  if (number >= users) return day === 2 && number < users + Math.ceil(users * 0.03) ? 0 : undefined;
  const fate = SURE_FATES[number] ?? scramble(seed, number, 99) % 100;
  if (fate < 2) return day === 0 || (day === 2 && fate < 1) ? 0 : undefined;
  if (fate < 4) return day === 2 ? undefined : 0;
  return day === 2 && fate < 9 ? 1 : 0;
}

/** The records of one day's batch, one by one. */
function* demoBatch(day: number, seed: number, users: number): Generator<DemoRecord> {
  const last = users + Math.ceil(users * 0.03);
  for (let number = 0; number < last; number += 1) {
    const revision = revisionOn(day, seed, users, number);
    if (revision !== undefined) yield demoPerson(seed, number, revision);
  }
}

/** Writes a day's batch as a JSON file, in pieces: it may be larger than memory. */
export async function writeDemoBatch(path: string, day: number, seed: number, users: number): Promise<void> {
  await pipeline(Readable.from(jsonPieces(demoBatch(day, seed, users))), createWriteStream(path));
}

function* jsonPieces(records: Iterable<DemoRecord>): Generator<string> {
  let piece = '[';
  let separator = '\n';
  for (const record of records) {
    piece += separator + JSON.stringify(record);
    separator = ',\n';
    if (piece.length > 64 * 1024) {
      yield piece;
      piece = '';
    }
  }
  yield `${piece}\n]\n`;
}
