import { expect } from 'chai';
import { utf8, type BatchFormat, type Encode } from './batch-formats.js';
import { crowd } from './crowd.js';
import type { FeedsSite } from './feeds-site.js';

/** One record of a batch that is not as it should be. */
export interface BadRecord {
  readonly what: string;
  /** Makes it of the record as it should be. */
  readonly make: (good: string) => string | Uint8Array;
  readonly code: string;
  /** The source field that is said to be at fault. */
  readonly source?: string;
  /** The value that is shown of it. */
  readonly value?: string;
  /** A part of the message; `at` is where the record begins in the file, and `record` is its bytes. */
  readonly message?: (at: number, record: Buffer) => string;
}

export interface Encoding {
  readonly encode: Encode;
  readonly mark?: string;
}

/**
 * Drops a batch in which everybody of the feed's crowd has another job and some records are bad: these alone are rejected,
 * each with its code and its place, and their users stay as they were, whatever the guards.
 */
export async function expectRejected(
  feeds: FeedsSite,
  feed: string,
  format: BatchFormat,
  bad: readonly BadRecord[],
  { encode, mark }: Encoding = { encode: utf8 },
): Promise<void> {
  const before = await feeds.peopleOf(feed, format);
  const after = crowd(feed, before.length, `beside ${bad[0]!.what}`);
  const records = after.map((one, index) => {
    const made = bad[index - 1]?.make(format.record(one)) ?? format.record(one);
    return typeof made === 'string' ? encode(made) : Buffer.from(made);
  });
  const file = format.file(records, encode, mark);
  const run = await feeds.take(feed, file);
  const errors = await feeds.errors(run);
  const seen = errors.map(({ code, username, record, line, byte, source, value }) => {
    return { code, username, record, line, byte, source, value };
  });
  const expected = bad.map(({ code, source = null, value = null }, index) => {
    const byte = file.indexOf(records[index + 1]!);
    const line = file.subarray(0, byte).toString('latin1').split('\n').length;
    return { code, username: before[index + 1]!.USERNAME, record: index + 2, line, byte, source, value };
  });
  expect(seen, feed).to.deep.equal(expected);
  for (const [index, { what, message }] of bad.entries()) {
    const { byte } = expected[index]!;
    if (message !== undefined) expect(errors[index]!.message, what).to.include(message(byte, records[index + 1]!));
  }
  expect(run, feed).to.include({ status: 'complete', outcome: 'applied' });
  expect(run.counts, feed).to.include({
    records: after.length,
    updated: after.length - bad.length,
    rejected: bad.length,
    added: 0,
    blocked: 0,
  });
  await feeds.expectPeople(
    feed,
    after.map((one, index) => (index > 0 && index <= bad.length ? before[index]! : one)),
  );
}
