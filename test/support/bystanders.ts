import { expect } from 'chai';
import { crowd } from './crowd.js';
import type { FeedsSite } from './feeds-site.js';

/** Settings of a feed for them. */
export const BYSTANDERS = { bystander: { control: './json.json' } };

/**
 * People of another feed, and an account made by hand.
 *
 * @returns what throws when anything that was dropped meanwhile has touched them
 */
export async function bystanders(feeds: FeedsSite): Promise<() => Promise<void>> {
  await feeds.begin('bystander', crowd('bystander', 5, 'before'));
  await feeds.site.query(
    `insert into directory.account (email, name_first, name_last) values ('by@hand.example', 'By', 'Hand')`,
  );
  const look = (): Promise<object[]> =>
    feeds.site.query(`select * from directory.users where feed is null or feed = 'bystander' order by id`);
  const before = await look();
  expect(before).to.have.length(6);
  return async () => {
    expect(await look()).to.deep.equal(before);
  };
}
