import { expect } from 'chai';
import type { CompiledMapping } from '../../../src/mapping/compile.js';
import type { ReadItem } from '../../../src/readers/reader.js';
import { Recognition, valueOf, type RecognitionQuestion } from '../../../src/sync/recognition.js';

const MAPPING = { readUsername: (record) => (record['u'] as string | undefined) ?? null } as CompiledMapping;

function record(username: string | undefined, number = 1): ReadItem {
  return { kind: 'record', position: { record: number, line: number, byte: 0 }, value: { u: username ?? null } };
}

/** Someone who knows all records of these users. */
function knowing(known: ReadonlySet<string>, questions: RecognitionQuestion[] = []): Recognition {
  return new Recognition('seed', MAPPING, (question) => {
    questions.push(question);
    const usernames = JSON.parse(question.usernames.replace('{', '[').replace(/\}$/, ']')) as string[];
    const digests = usernames.map((username) => (known.has(username) ? `digest of ${username}` : ''));
    return Promise.resolve({ digests: digests.join(','), given: { '00000001': known.size } });
  });
}

describe('Looking records up before they are mapped', () => {
  it('tells those that are known from the others, in one question, and passes on what they give', async () => {
    const questions: RecognitionQuestion[] = [];
    const bad: ReadItem = {
      kind: 'rejected',
      position: { record: 2, line: 2, byte: 0 },
      error: { code: 'invalid-email', message: 'y' },
    };
    const read = [record('a'), bad, record('b'), record('c')];
    const { items, given } = await knowing(new Set(['a', 'c']), questions).look(read).seen;
    expect(items.map(({ digest }) => digest)).to.deep.equal(['digest of a', null, null, 'digest of c']);
    expect(given).to.deep.equal({ '00000001': 2 });
    expect(questions).to.have.length(1);
    expect(items.filter(({ item }) => item.kind === 'record').map(valueOf)).to.deep.equal([
      { u: 'a' },
      { u: 'b' },
      { u: 'c' },
    ]);
  });

  it('digests a record together with the seed: another one, another digest', async () => {
    const digestWith = async (seed: string, username: string): Promise<string | null | undefined> =>
      (await new Recognition(seed, MAPPING).look([record(username)]).seen).items[0]?.recordDigest;
    expect(await digestWith('s', 'a'))
      .to.match(/^[0-9a-f]{32}$/)
      .and.equal(await digestWith('s', 'a'));
    expect(await digestWith('t', 'a')).not.to.equal(await digestWith('s', 'a'));
    expect(await digestWith('s', 'b')).not.to.equal(await digestWith('s', 'a'));
  });

  it('asks for usernames of any form, and not for records without one', async () => {
    const questions: RecognitionQuestion[] = [];
    const names = ['NULL', 'a,b', '{x}', 'say "hi"', 'back\\slash', ' '];
    await knowing(new Set(), questions).look([...names, undefined].map((name) => record(name))).seen;
    expect(questions[0]?.usernames).to.equal('{"NULL","a,b","{x}","say \\"hi\\"","back\\\\slash"," "}');
    expect(questions[0]?.digests.split(',')).to.have.length(names.length);
  });

  it('does not ask when nobody has a username', async () => {
    const questions: RecognitionQuestion[] = [];
    await knowing(new Set(), questions).look([record(undefined)]).seen;
    expect(questions).to.deep.equal([]);
  });

  for (const [share, says, asks] of [
    [1, 'goes on asking while records are recognised', 50],
    [0.06, 'goes on asking when one in twenty is', 50],
    [0.01, 'stops asking in a batch that is all but new', 20],
  ] as const) {
    it(says, async () => {
      const questions: RecognitionQuestion[] = [];
      const names = Array.from({ length: 1000 }, (_, index) => `u${index}`);
      const recognition = knowing(new Set(names.slice(0, 1000 * share)), questions);
      for (let batch = 0; batch < 50; batch++) await recognition.look(names.map((name) => record(name))).seen;
      expect(questions).to.have.length(asks);
    });
  }
});
