import { expect } from 'chai';
import { entryName, isPlain, roleOf, subjectOf } from '../../../src/intake/entry-name.js';

const named = (text: string): ReturnType<typeof entryName> => entryName(Buffer.from(text));

describe('The name of an entry', () => {
  it('tells names apart that look alike as text', () => {
    const [first, second] = [entryName(Buffer.from([0xff])), entryName(Buffer.from([0xfe]))];
    expect(first.key).not.to.equal(second.key);
    expect(first.text).to.equal(undefined);
    expect(first.shown).to.equal('\\xff');
  });

  it('keeps a byte-order mark, which is part of the name', () => {
    expect(named('\ufeffusers').text).to.equal('\ufeffusers');
    expect(named('\ufeffusers').shown).to.equal('\\ufeffusers');
  });

  it('is plain when it is shown as it is', () => {
    for (const text of ['users.json', 'ünïcödé', '日本', '<b>']) expect(isPlain(named(text)), text).to.equal(true);
    for (const text of ['a\nb', 'a\u001b[0m', 'a\u0085', 'a\u200b', 'a\u202e', 'a\u007f']) {
      expect(isPlain(named(text)), JSON.stringify(text)).to.equal(false);
    }
  });

  it('says what the entry is for', () => {
    for (const text of [
      '.x',
      'x~',
      'x.part',
      'x.filepart',
      'x.tmp',
      'x.crdownload',
      'X.PART',
      '.done',
      'x.done.part',
    ]) {
      expect(roleOf(named(text)), text).to.equal('ignored');
    }
    for (const text of ['x', 'x.json', 'part', 'done', 'x.partial', 'x~y', 'x.DONE']) {
      expect(roleOf(named(text)), text).to.equal('file');
    }
    expect(roleOf(named('x.json.done'))).to.equal('marker');
    expect(roleOf(named('x.json.sha256'))).to.equal('sidecar');
    expect(roleOf(entryName(Buffer.from([0xff, ...Buffer.from('.part')])))).to.equal('ignored');
    expect(subjectOf(named('x.json.done'))).to.equal(named('x.json').key);
    expect(subjectOf(named('ü.sha256'))).to.equal(named('ü').key);
  });
});
