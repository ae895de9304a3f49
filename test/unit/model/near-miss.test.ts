import { expect } from 'chai';
import { didYouMean } from '../../../src/model/near-miss.js';

describe('A name that is not known', () => {
  it('is answered with the one that was meant, or else with the few that there are', () => {
    expect(didYouMean('charste', ['read', 'charset'])).to.equal(': did you mean `charset`?');
    expect(didYouMean('seperator', ['read', 'charset'])).to.equal(': there are `read`, `charset`');
    expect(didYouMean('seperator', ['read'])).to.equal(': there is `read`');
  });

  it('is not answered with a long list, nor with none', () => {
    expect(
      didYouMean(
        'xyz',
        Array.from({ length: 9 }, (_, index) => `name-${index}`),
      ),
    ).to.equal('');
    expect(didYouMean('xyz', [])).to.equal('');
  });
});
