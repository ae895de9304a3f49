import { expect } from 'chai';
import { digestIn } from '../../../src/intake/sidecar.js';

const digest = '0123456789abcdef'.repeat(4);

describe('The digest in a sidecar', () => {
  for (const text of [
    digest,
    `${digest.toUpperCase()}\r\n`,
    `${digest}  users.json\n`,
    `${digest} *users.json\nfurther lines`,
    `\\${digest}  odd\\nname`,
    `SHA256 (users (1).json) = ${digest}\n`,
    `\n${digest}`,
  ]) {
    it(`is read from ${JSON.stringify(text.replace(digest, '…'))}`, () => {
      expect(digestIn(text)).to.equal(digest);
    });
  }

  for (const text of ['', 'abc', `${digest}0`, digest.slice(1), `x${digest}`, `MD5 (users.json) = ${digest}`]) {
    it(`is not in ${JSON.stringify(text.replace(digest, '…'))}`, () => {
      expect(digestIn(text)).to.equal(undefined);
    });
  }
});
