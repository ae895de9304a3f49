import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadModel } from '../../../src/app.js';
import { PreviewSummary, previewText, type Paint } from '../../../src/cli/preview-text.js';
import type { InputRecord } from '../../../src/domain/record.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { compileControlFile, type TraceEvent } from '../../../src/mapping/compile.js';
import {
  originsOf,
  previewOutcome,
  previewRejection,
  withExplanation,
  type PreviewLine,
} from '../../../src/mapping/preview.js';
import type { Model } from '../../../src/model/model.js';
import { controlLanguage } from '../../../src/plugins/control-language.js';
import { readControlFile } from '../../../src/sync/control.js';
import { examplesOf } from '../../support/docs-examples.js';
import { fencesOf } from '../../support/docs-markdown.js';
import { controlText, model, USER_FIELDS, USER_INSTRUCTIONS, validControl } from '../mapping/mapping-case.js';

const POSITION = { record: 3, line: 7, byte: 0 };
const plain: Paint = (text) => text;
/** Styles as tags, to see what is coloured. */
const tagged: Paint = (text, ...styles) => `<${styles.join(' ')}>${text}</>`;

const LINE: PreviewLine = {
  file: 'users',
  record: 3,
  line: 7,
  username: 'joe',
  accepted: true,
  user: { username: 'joe', groups: [] },
  tags: {},
  profile: {},
  dependents: {},
  errors: [],
};

/** What a control file with these instructions behind the usual ones makes of a record, as a terminal shows it. */
function explained(instructions: readonly object[], record: InputRecord): string[] {
  const events: TraceEvent[] = [];
  const control = validControl(controlText([...USER_INSTRUCTIONS, ...instructions]));
  const mapping = compileControlFile(control, model, undefined, (event) => events.push(event));
  const outcome = mapping.map({ ...USER_FIELDS, ...record });
  return previewText(previewOutcome('users', POSITION, outcome), plain, events);
}

/** The lines about one name without the name. */
function about(name: string, lines: readonly string[]): string[] {
  return lines
    .filter((line) => line.startsWith(`  ${name} `))
    .map((line) => line.slice(name.length + 2).trim())
    .map((line) => line.replaceAll(/ {2,}/g, ' '));
}

/** The pointer of the instruction at this place behind the usual ones. */
function at(index: number): string {
  return `← /instructions/${USER_INSTRUCTIONS.length + index}`;
}

describe('the preview of a record on a terminal', () => {
  it('has a heading, and aligned values with their qualifiers', () => {
    const line: PreviewLine = {
      ...LINE,
      user: { username: 'joe', nameFirst: '李', groups: ['g:a', 'g:b'] },
      tags: { 't:card': '12', 't:gone': null },
      profile: {
        'a:tel': [{ value: '1', qualifier: 'q:office' }, { value: 2 }],
        'a:none': [],
      },
    };
    expect(previewText(line, plain)).to.deep.equal([
      'users:7  record 3  joe  accepted',
      '  user/username     joe',
      '  user/nameFirst    李',
      '  user/groups       g:a',
      '  user/groups       g:b',
      '  user:tags/t:card  12',
      '  user:tags/t:gone  (removed)',
      '  profile/a:tel     1 (q:office)',
      '  profile/a:tel     2',
      '  profile/a:none    (removed)',
    ]);
  });

  it('shows whether it was accepted in colour, and no value in a colour that could be taken for it', () => {
    const rejected = previewRejection('users', POSITION, null, [{ code: 'invalid-email', message: 'No.' }]);
    expect(previewText(LINE, tagged)).to.deep.equal([
      '<cyan>users:7</>  record 3  <bold>joe</>  <green>accepted</>',
      '  user/username  joe',
      '  user/groups    <dim>(none)</>',
    ]);
    expect(previewText(rejected, tagged)).to.deep.equal([
      '<cyan>users:7</>  record 3  <dim>(no username)</>  <red>rejected</>',
      '  error <red>invalid-email</>  No.',
    ]);
  });

  it('shows dictionaries behind the tags, and objects with their numbers behind the profile', () => {
    const line: PreviewLine = {
      ...LINE,
      user: {},
      tags: { 't:card': '12' },
      dictionaries: { 'd:locker': { number: 7, colour: null } },
      profile: { 'a:job': [{ value: 'Dean' }] },
      dependents: {
        book: [
          { object: 1, place: 1, attributes: { 'a:title': [{ value: 'A', qualifier: 'q:home' }] } },
          { object: 3, ref: '7', attributes: { 'a:title': [] } },
          { object: 4, place: 2, attributes: {} },
        ],
        page: [{ object: 2, place: 1, owner: 1, attributes: { 'a:title': [{ value: '1' }] } }],
      },
    };
    expect(previewText(line, plain).slice(1)).to.deep.equal([
      '  user:tags/t:card  12',
      '  d:locker/number   7',
      '  d:locker/colour   (removed)',
      '  profile/a:job     Dean',
      '  book[1]/a:title   A (q:home)',
      '  book[3]/a:title   (removed)',
      '  page[2]/a:title   1',
    ]);
  });

  it('ends with the errors: code, source and message', () => {
    const errors = [
      { code: 'invalid-email', source: 'mail', message: 'Not an address.' },
      { code: 'logged', message: 'Look at this.' },
    ];
    expect(previewText({ ...LINE, user: {}, errors }, plain).slice(1)).to.deep.equal([
      '  error invalid-email  mail  Not an address.',
      '  error logged               Look at this.',
    ]);
  });

  it('shows structured values so that they can be read', () => {
    const profile = {
      'a:name': [{ value: { first: 'Joe', last: 'Bloggs' } }],
      'a:person': [{ value: { ref: '80x' } }],
      'a:group': [
        {
          value: {
            'a:job': [{ value: 'Reader' }],
            'a:tel': [{ value: '1', qualifier: 'q:office' }, { value: '2' }],
            'a:who': [{ value: { first: 'A', last: 'B' } }],
          },
        },
      ],
    };
    expect(previewText({ ...LINE, user: {}, profile }, plain).slice(1)).to.deep.equal([
      '  profile/a:name    first: Joe, last: Bloggs',
      '  profile/a:person  ref: 80x',
      '  profile/a:group   a:job: Reader, a:tel: [1 (q:office), 2], a:who: {first: A, last: B}',
    ]);
  });

  it('lets no text from outside command the terminal', () => {
    const hostile = '\u001b[2J\n\u202e';
    const line: PreviewLine = {
      ...LINE,
      file: hostile,
      username: hostile,
      user: { [hostile]: hostile, groups: [hostile] },
      tags: { [hostile]: hostile },
      profile: { [hostile]: [{ value: { [hostile]: [hostile, { value: hostile, qualifier: hostile }] } }] },
      errors: [{ code: 'logged', source: hostile, message: hostile }],
    };
    const event = { pointer: hostile, destination: 'user', name: hostile, kind: 'set', source: hostile } as const;
    const text = previewText(line, plain, [{ ...event, value: hostile }]).join('');
    // eslint-disable-next-line no-control-regex
    expect(text).not.to.match(/[\u0000-\u001f\u202e]/);
    expect(text.split('\\u001b[2J\\u000a\\u202e')).to.have.length(17);
  });
});

describe('the explanation in the preview of a record', () => {
  const job = { destination: 'profile', name: 'std:attribute:job-title' };
  const notes = { destination: 'profile', name: 'std:attribute:notes', multivalue: true };

  it('names the instruction and its source field behind each value', () => {
    const lines = explained([{ source: 'job', ...job }], { job: 'Reader' });
    expect(about('user/username', lines)[0]).to.match(/ ← \/instructions\/0 \(source \w+\)$/);
    expect(about('profile/std:attribute:job-title', lines)).to.deep.equal([`Reader ${at(0)} (source job)`]);
  });

  it('names the instruction that replaced or removed what was there', () => {
    const set = { action: 'set-value', ...job };
    const removal = { action: 'remove-values', ...job };
    const name = 'profile/std:attribute:job-title';
    expect(
      about(
        name,
        explained(
          [
            { ...set, value: 'A' },
            { ...set, value: 'A' },
          ],
          {},
        ),
      ),
    ).to.deep.equal([`A ${at(1)}`]);
    expect(about(name, explained([{ ...set, value: 'A' }, removal], {}))).to.deep.equal([`(removed) ${at(1)}`]);
  });

  it('tells the values of one name apart', () => {
    const lines = explained(
      [
        { action: 'set-value', value: 'x', ...notes },
        { action: 'set-value', value: 'y', ...notes },
        { action: 'for-each', source: 'list', wrapValues: true, instructions: [{ source: 'value', ...notes }] },
      ],
      { list: ['y', 'z'] },
    );
    expect(about('profile/std:attribute:notes', lines)).to.deep.equal([
      `x ${at(0)}`,
      `y ${at(1)}`,
      `z ${at(2)}/instructions/0 (source value)`,
    ]);
  });

  it('tells the values of different qualifiers apart', () => {
    const telephone = { destination: 'profile', name: 'std:attribute:telephone', country: 'GB' };
    const office = { ...telephone, qualifier: 'std:qualifier:office' };
    const lines = explained(
      [
        { source: 'a', ...office },
        { source: 'b', ...telephone, qualifier: 'std:qualifier:mobile' },
        { source: 'c', ...office },
      ],
      { a: '020 7946 0018', b: '07700 900077', c: '020 7946 0018' },
    );
    expect(about('profile/std:attribute:telephone', lines)).to.deep.equal([
      `+44 7700 900077 (std:qualifier:mobile) ${at(1)} (source b)`,
      `+44 20 7946 0018 (std:qualifier:office) ${at(2)} (source c)`,
    ]);
  });

  it('finds the instruction of each group, whose order is the model’s', () => {
    const groups = { destination: 'user', name: 'groups', multivalue: true };
    const lines = explained(
      ['example:group:students', 'example:group:staff'].map((value) => ({ action: 'set-value', value, ...groups })),
      {},
    );
    expect(about('user/groups', lines).sort()).to.deep.equal([
      `example:group:staff ${at(1)}`,
      `example:group:students ${at(0)}`,
    ]);
  });

  it('tells the objects of a record apart', () => {
    const title = { destination: 'book', name: 'test:attribute:book-title' };
    const lines = explained(
      [
        { source: 'own', ...title },
        {
          action: 'for-each',
          source: 'list',
          wrapValues: true,
          instructions: [
            { action: 'new', destination: 'book' },
            { source: 'value', ...title },
            { source: 'value', ...title, destination: 'book:page', multivalue: true },
          ],
        },
      ],
      { own: 'A', list: ['A', 'B'] },
    );
    const each = `${at(1)}/instructions`;
    expect(about('book[1]/test:attribute:book-title', lines)).to.deep.equal([`A ${at(0)} (source own)`]);
    expect(about('book[2]/test:attribute:book-title', lines)).to.deep.equal([`A ${each}/1 (source value)`]);
    expect(about('book:page[3]/test:attribute:book-title', lines)).to.deep.equal([`A ${each}/2 (source value)`]);
    expect(about('book[4]/test:attribute:book-title', lines)).to.deep.equal([`B ${each}/1 (source value)`]);
  });

  it('names the instruction that removed the values of an object', () => {
    const title = { destination: 'book', name: 'test:attribute:book-title' };
    const lines = explained([{ action: 'remove-values', ...title }], {});
    expect(about('book[1]/test:attribute:book-title', lines)).to.deep.equal([`(removed) ${at(0)}`]);
  });

  it('names the instruction behind each name of a dictionary', () => {
    const lines = explained(
      [
        { source: 'number', destination: 'test:locker', name: 'number' },
        { action: 'remove-values', destination: 'test:locker', name: 'colour' },
      ],
      { number: 7 },
    );
    expect(about('test:locker/number', lines)).to.deep.equal([`7 ${at(0)} (source number)`]);
    expect(about('test:locker/colour', lines)).to.deep.equal([`(removed) ${at(1)}`]);
  });

  it('is in JSON what the instructions did, in order and without values', () => {
    const event = { pointer: '/instructions/0', destination: 'user', name: 'email', kind: 'set' } as const;
    const line = withExplanation(LINE, [
      { ...event, value: 'secret' },
      { ...event, kind: 'add', source: 's', qualifier: 'q', value: null },
    ]);
    expect(line).to.deep.equal({ ...LINE, explain: [event, { ...event, kind: 'add', source: 's', qualifier: 'q' }] });
  });

  it('keeps as many origins as there are values', () => {
    const event = { pointer: '/instructions/0', destination: 'profile', name: 'a', kind: 'add' } as const;
    const values = Array.from({ length: 40 }, (_, index) => index % 20);
    const origin = originsOf(values.map((value) => ({ ...event, value }))).get('profile/a');
    expect(origin?.values.map(({ value }) => value)).to.deep.equal(values.slice(0, 20));
  });
});

describe('the summary of a preview', () => {
  it('counts records, and errors by their code', () => {
    const summary = new PreviewSummary();
    expect(summary.text(plain)).to.equal('0 records: 0 accepted, 0 rejected, 0 with errors');
    summary.add(LINE);
    expect(summary.text(plain)).to.equal('1 record: 1 accepted, 0 rejected, 0 with errors');
    const email = { code: 'invalid-email', message: '' };
    summary.add({ ...LINE, errors: [email, email] });
    summary.add({ ...LINE, accepted: false, errors: [{ code: 'missing-value', message: '' }] });
    expect(summary.text(tagged)).to.equal(
      '3 records: 2 accepted, <red>1 rejected</>, 2 with errors (invalid-email 2, missing-value 1)',
    );
  });
});

describe('the preview in docs/control-files.md', () => {
  const markdown = readFileSync(join(packageRoot(), 'docs', 'control-files.md'), 'utf8');
  const section = markdown.indexOf('\n## Trying a control file\n');
  let shipped: Model;
  before(async () => {
    shipped = await loadModel(join(packageRoot(), 'config', 'model.json'));
  });

  it('is what a terminal and --explain show', () => {
    const firstLine = markdown.slice(0, section).split('\n').length;
    const example = examplesOf(fencesOf(markdown)).mappings.find(({ line }) => line > firstLine);
    expect(section).to.be.greaterThan(0);
    const events: TraceEvent[] = [];
    const control = readControlFile(example!.control, controlLanguage(shipped));
    const mapping = compileControlFile(control, shipped, undefined, (event) => events.push(event));
    const line = previewOutcome('users', { record: 1, line: 2, byte: 0 }, mapping.map(example!.record));
    const summary = new PreviewSummary();
    summary.add(line);
    const shown = [...previewText(line, plain, events), '', summary.text(plain)];
    const steps = withExplanation(line, events).explain.slice(-3);
    expect(markdown.slice(section)).to.contain(indented(shown));
    expect(markdown.slice(section)).to.contain(indented(steps.map((step) => JSON.stringify(step))));
  });
});

/** Lines as a block of code that no other test reads as an example. */
function indented(lines: readonly string[]): string {
  return `\n\n${lines.map((line) => (line === '' ? '' : `    ${line}`)).join('\n')}\n\n`;
}
