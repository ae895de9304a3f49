import { expect } from 'chai';
import { join } from 'node:path';
import { lookUpPerson } from '../../src/sync/person.js';
import { personOfFeed } from '../../src/sync/person-of-feed.js';
import { submitBatch } from '../../src/sync/submit.js';
import { SyncHarness, person } from '../support/sync.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe('The record that was last received of a person', () => {
  it('is the one of the own feed, whatever other feeds send for that user', async () => {
    await using harness = await SyncHarness.open();
    const one = [person('ada'), person('zoe', { JOB_TITLE: 'not mine' })];
    const two = [person('zoe'), person('ada', { JOB_TITLE: 'not mine' })];
    await harness.sync([one[0]!], { feed: 'one' });
    await harness.sync([two[0]!], { feed: 'two' });
    const runs = {
      ada: (await harness.sync(one, { feed: 'one' })).id,
      zoe: (await harness.sync(two, { feed: 'two' })).id,
    };
    const { database } = harness;
    for (const [username, feed] of [
      ['ada', 'one'],
      ['zoe', 'two'],
    ] as const) {
      const found = await lookUpPerson(harness.context, username);
      expect(found.received, username).to.include({ run: runs[username], accepted: true, record: 1 });
      expect(JSON.parse(found.received?.raw ?? ''), username).to.deep.equal(person(username));
      expect((await personOfFeed(database, found, feed))?.received, username).to.deep.equal(found.received);
    }
  });

  it('is the last one of any feed for somebody whom none has brought', async () => {
    await using harness = await SyncHarness.open();
    const eve = person('eve', { EMAIL: 'none' });
    const runs = [];
    for (const feed of ['one', 'two']) runs.push(await harness.sync([person(feed), eve], { feed }));
    const { account, received } = await lookUpPerson(harness.context, 'eve');
    expect(account).to.equal(null);
    expect(received).to.include({ run: runs[1]?.id, accepted: false });
  });

  it('is shown with its file also when the model no longer allows the control file', async () => {
    await using harness = await SyncHarness.open({
      control: {
        dataImportControlFileVersion: 0,
        model: 'haplo:user-sync',
        // Not in the order of their names.
        files: { zoos: { read: 'json' }, houses: { read: 'json' } },
        instructions: [
          { source: 'USERNAME', destination: 'user', name: 'username' },
          { source: 'FIRST_NAME', destination: 'user', name: 'nameFirst' },
          { source: 'LAST_NAME', destination: 'user', name: 'nameLast' },
          { source: 'EMAIL', destination: 'user', name: 'email' },
          { source: 'JOB_TITLE', destination: 'profile', name: 'std:attribute:job-title' },
        ],
      },
    });
    const batch = async (...zoos: object[]): Promise<void> => {
      await using folder = await temporaryFolder({
        'zoos.json': JSON.stringify(zoos),
        'houses.json': JSON.stringify([person('bob')]),
      });
      const run = await submitBatch(harness.context, {
        feed: 'default',
        files: ['zoos', 'houses'].map((name) => ({ name, path: join(folder.path, `${name}.json`) })),
        control: { text: harness.control, what: 'The control file' },
        dryRun: false,
        force: false,
        by: 'test',
        signal: new AbortController().signal,
      });
      await harness.execute(run);
    };
    await batch(person('ada'));
    // Now bob's record is recognised, and not mapped.
    await batch(person('ada', { JOB_TITLE: 'Keeper' }));
    const changed = harness.withModel(
      harness.context.model.source.replaceAll('std:attribute:job-title', 'std:attribute:position'),
    );
    const ada = (await lookUpPerson(changed.context, 'ada')).received;
    const bob = (await lookUpPerson(changed.context, 'bob')).received;
    expect([ada?.file, bob?.file]).to.deep.equal(['zoos', 'houses']);
    expect(JSON.parse(bob?.raw ?? '')).to.deep.equal(person('bob'));
    expect([typeof ada?.mapped, bob?.mapped]).to.deep.equal(['object', null]);
  });
});
