import { expect } from 'chai';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { packageRoot } from '../../src/lib/package-root.js';
import { Site } from '../support/cli.js';

/**
 * A parliament in the shape of config/examples/congress.json: four batches of everyone then serving, two years apart,
 * and who joined, came back and left from one to the next.
 */
const BATCHES = [
  { day: '2017-03-01', members: range(1, 60), joined: 60, returned: 0, left: 0 },
  { day: '2019-03-01', members: [...range(13, 60), ...range(61, 72)], joined: 12, returned: 0, left: 12 },
  { day: '2021-03-01', members: [...range(1, 4), ...range(21, 72), ...range(73, 77)], joined: 5, returned: 4, left: 8 },
  { day: '2023-03-01', members: [2, 5, ...range(24, 77), ...range(78, 83)], joined: 6, returned: 1, left: 6 },
] as const;

type Member = Readonly<Record<string, string>>;

/** Facts of a member on a day: terms are six years in one house, two in the other, and addresses move. */
function member(number: number, day: string): Member {
  const isSenator = number % 5 === 0;
  const year = Number(day.slice(0, 4));
  const start = isSenator ? year - ((year + number) % 6) : year;
  const id = `${'ABCDEFGH'[number % 8] ?? ''}${String(number).padStart(6, '0')}`;
  return {
    USERNAME: id,
    TITLE: isSenator ? 'Sen.' : 'Rep.',
    FIRST_NAME: ['Zoë', 'José', 'Ann', 'Ñandú'][number % 4] ?? '',
    LAST_NAME: `Example-${number}`,
    EMAIL: `${id.toLowerCase()}@parliament.example`,
    OFFICIAL_NAME: `Member ${number} “Nick” Example, Jr.`,
    CHAMBER: isSenator ? 'sen' : 'rep',
    STATE: number % 2 === 0 ? 'OH' : 'WA',
    PARTY: ['Democrat', 'Republican', 'Independent'][number % 3] ?? '',
    PHONE: number % 7 === 0 ? '' : `202-224-${String(2000 + number)}`,
    URL: number % 11 === 0 ? '' : `https://www.example${number}.gov`,
    ADDRESS: number % 13 === 0 ? '' : `${number} Example Building & Annex Washington DC 20510`,
    TERM_START: `${start}-01-03`,
    TERM_END: `${start + (isSenator ? 6 : 2)}-01-03`,
  };
}

describe('four batches of a parliament', () => {
  it('join, return and leave as they did, and are unchanged in another format', async () => {
    const examples = join(packageRoot(), 'config', 'examples');
    const control = JSON.parse(await readFile(join(examples, 'congress.json'), 'utf8')) as object;
    await using site = await Site.open({ model: join(examples, 'congress-model.json') });
    const sync = async (
      name: string,
      content: string | Uint8Array,
      format: object,
    ): Promise<Record<string, number>> => {
      await site.write('control.json', JSON.stringify({ ...control, files: { members: format } }));
      await site.write(name, content);
      const { code, stdout, stderr } = await site.call(
        ...['sync', `members=${name}`, '--control', 'control.json', '--approve', '--json'],
      );
      expect(code, `${name}: ${stderr}`).to.equal(0);
      return (JSON.parse(stdout) as { counts: Record<string, number> }).counts;
    };

    let before: readonly number[] = [];
    for (const { day, members, joined, returned, left } of BATCHES) {
      const batch = members.map((number) => member(number, day));
      const stayed = members.filter((number) => before.includes(number)).length;
      const counts = await sync(`${day}.json`, nested(batch), { read: 'json' });
      expect(counts, day).to.include({ added: joined, unblocked: returned, blocked: left, rejected: 0 });
      expect(counts['updated']! + counts['unchanged']!, day).to.equal(stayed);
      before = members;

      const others: [string, string | Uint8Array, object][] =
        day === '2021-03-01'
          ? [
              [`${day}.xml`, xml(batch), { read: 'xml-text-of-children' }],
              [`${day}.tsv`, utf16(tsv(batch)), { read: 'tsv-with-name-row', charset: 'utf-16' }],
            ]
          : day === '2023-03-01'
            ? [[`${day}.tsv`, windows1252(tsv(batch)), { read: 'tsv-with-name-row', charset: 'windows-1252' }]]
            : [];
      for (const [name, content, format] of others) {
        const again = await sync(name, content, format);
        expect(again, name).to.include({ records: members.length, unchanged: members.length });
      }
    }

    const senators = before.filter((number) => number % 5 === 0).length;
    expect(
      await site.query(
        `select count(*) filter (where is_active and 'congress:group:senate' = any (groups)) as senators,
                count(*) filter (where is_active) as active,
                count(*) filter (where not is_active and profile_types[1] like '%-past') as past
         from directory.users`,
      ),
    ).to.deep.equal([{ senators, active: before.length, past: 83 - before.length }]);
    expect(
      await site.query(
        `select name_first, profile -> 'congress:attribute:official-name' -> 0 ->> 'value' as official
         from directory.users where username = 'g000078'`,
      ),
    ).to.deep.equal([{ name_first: 'Ann', official: 'Member 78 “Nick” Example, Jr.' }]);
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** With what the flat fields do not bear, which no instruction asks for. */
function nested(batch: readonly Member[]): string {
  return JSON.stringify(
    batch.map((one) => ({ ...one, ids: { house: 7, fec: ['H2', 'S6'] }, terms: [{ type: 'rep' }] })),
  );
}

/** Fields without a value are absent. */
function xml(batch: readonly Member[]): string {
  const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const element = (one: Member): string =>
    Object.entries(one)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `    <${name}>${escaped(value)}</${name}>\n`)
      .join('');
  const elements = batch.map((one) => `  <member>\n${element(one)}  </member>\n`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<members>\n${elements}</members>\n`;
}

function tsv(batch: readonly Member[]): string {
  const names = Object.keys(batch[0] ?? {});
  return [names, ...batch.map((one) => names.map((name) => one[name] ?? ''))]
    .map((cells) => `${cells.join('\t')}\r\n`)
    .join('');
}

function utf16(text: string): Uint8Array {
  return Buffer.from(`\ufeff${text}`, 'utf16le');
}

/** Enough of it for these names. */
function windows1252(text: string): Uint8Array {
  return Buffer.from(text.replaceAll('“', '\u0093').replaceAll('”', '\u0094'), 'latin1');
}
