import { expect } from 'chai';
import fc from 'fast-check';
import { getCountries, getCountryCallingCode, type CountryCode } from 'libphonenumber-js/min';
import examples from 'libphonenumber-js/mobile/examples';
import { formatByLibrary } from '../../../src/mapping/telephone.js';
import { plainTelephoneFormatter } from '../../../src/mapping/telephone-plan.js';

const digits = (shortest: number, longest: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: shortest, maxLength: longest });

const anyCountry = fc.constantFrom(...getCountries());

/** A country's example with other digits at its end: mostly a number that its plan has a format for. */
const nearExample = fc.record({
  country: anyCountry,
  keep: fc.nat({ max: 8 }),
  end: digits(0, 12),
  isWhole: fc.nat({ max: 3 }).map((one) => one > 0),
});

/** What comes before the number within the country or from abroad. */
const PREFIXES = ['', '', '', '0', '0', '+', '+', '+', '+', '+', '1', '8', '00', '011', '+0', '(0'] as const;

/** A number and the country in which somebody wrote it, mostly its own. */
const written = fc
  .record({
    number: fc.oneof(
      { weight: 8, arbitrary: nearExample.map(numberNear) },
      {
        weight: 1,
        arbitrary: fc.record({
          country: anyCountry,
          callingCode: fc.constantFrom('', '800', '999'),
          digits: digits(1, 17),
        }),
      },
    ),
    abroad: fc.option(anyCountry, { freq: 1 }),
    prefix: fc.constantFrom(...PREFIXES),
    hasCallingCode: fc.boolean(),
    separators: fc.array(fc.constantFrom('', '', '', ' ', '-', '.', ') ', ' ('), { minLength: 20, maxLength: 20 }),
    after: fc.constantFrom('', '', '', '', '', '', ' ', '-', ' x12', ' ext. 7', '#', ';ext=5', ',', 'a', ' / 12'),
  })
  .map(({ number, abroad, prefix, hasCallingCode, separators, after }) => {
    const all = (hasCallingCode || prefix === '+' ? number.callingCode : '') + number.digits;
    const separated = [...all].map((digit, index) => digit + (separators[index] ?? '')).join('');
    return { country: abroad ?? number.country, text: prefix + separated + after };
  });

function numberNear({
  country,
  keep,
  end,
  isWhole,
}: {
  country: CountryCode;
  keep: number;
  end: string;
  isWhole: boolean;
}): {
  country: CountryCode;
  callingCode: string;
  digits: string;
} {
  const example = examples[country];
  const rest = isWhole ? end.padEnd(12, '7').slice(0, Math.max(0, example.length - keep)) : end;
  return { country, callingCode: getCountryCallingCode(country), digits: example.slice(0, keep) + rest };
}

describe('Plain telephone numbers', () => {
  it('are written as the library writes them, in every country', () => {
    let plain = 0;
    const formatters = new Map(getCountries().map((country) => [country, plainTelephoneFormatter(country)]));
    fc.assert(
      fc.property(written, ({ country, text }) => {
        const formatted = formatters.get(country)?.(text);
        if (formatted === undefined) return;
        plain += 1;
        expect(formatted, `${text} in ${country}`).to.equal(formatByLibrary(text, country));
      }),
      { numRuns: 30_000 },
    );
    expect(plain).to.be.greaterThan(5000);
  }).timeout(120_000);

  it('are what a feed usually has: the library is not asked', () => {
    const usual: [CountryCode, string][] = [
      ['GB', '+44 20 7946 0018'],
      ['GB', '020 7946 0018'],
      ['GB', '(01632) 960 983'],
      ['US', '202-225-1234'],
      ['US', '(202) 225.1234'],
      ['DE', '030 901820'],
      ['DE', '+49 151 23456789'],
      ['FR', '01 23 45 67 89'],
      ['CH', '+41446681800'],
      ['AU', '(02) 9374 4000'],
    ];
    for (const [country, number] of usual) {
      expect(plainTelephoneFormatter(country)(number), number)
        .to.equal(formatByLibrary(number, country))
        .and.to.be.a('string');
    }
  });

  it('leave to the library what takes a decision', () => {
    const format = plainTelephoneFormatter('GB');
    for (const number of [
      '+44 (0)20 7946 0018',
      '0044 20 7946 0018',
      '44 20 7946 0018',
      '020 7946 0018 x12',
      '1234',
      '12',
      '+999 12345678',
    ]) {
      expect(format(number), number).to.equal(undefined);
    }
  });
});
