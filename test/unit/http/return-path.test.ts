import { expect } from 'chai';
import fc from 'fast-check';
import { localPath } from '../../../src/http/pages/return-path.js';

const SITE = 'https://sync.example.org';

describe('The path that somebody is led to after signing in', () => {
  it('is what was asked for, as an address has it', () => {
    for (const path of ['/', '/runs/12', '/runs/12/log?level=error&after=7', '/workbench?q=a%20b']) {
      expect(localPath(path)).to.equal(path);
    }
    expect(localPath('/runs?feed=schön <b>')).to.equal('/runs?feed=sch%C3%B6n%20%3Cb%3E');
    expect(localPath('/runs/12#log'), 'a fragment is for the browser').to.equal('/runs/12');
  });

  it('is on this site and can be sent in a header, or there is none', () => {
    const piece = fc.oneof(
      fc.constantFrom('/', '\\', '.', '..', ':', '@', '//', 'evil.example', 'https:', '\t', '\n', '%2f', '?', '#', ' '),
      fc.string({ unit: 'binary', maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = localPath(pieces.join(''));
        if (path === undefined) return;
        expect(path).to.match(/^\/(?![/\\])[\x21-\x7e]*$/);
        expect(new URL(path, SITE).origin).to.equal(SITE);
      }),
      { numRuns: 5000 },
    );
  });
});
