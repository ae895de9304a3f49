import { expect } from 'chai';
import { compileDateFormat } from '../../../src/mapping/dates.js';

const READ: readonly (readonly [format: string, text: string, date: string | undefined])[] = [
  ['yyyy-MM-dd', '2026-11-22', '2026-11-22'],
  ['yyyy-MM-dd', '2026-11-22 ', undefined],
  ['yyyy-MM-dd', '2026-1-22', undefined],
  ['yyyy-MM-dd', '0000-01-01', undefined],
  ['yyyy-MM-dd', '2026-13-01', undefined],
  ['yyyy-MM-dd', '2024-02-29', '2024-02-29'],
  ['yyyy-MM-dd', '2026-02-29', undefined],
  ['yyyy-MM-dd', '1900-02-29', undefined],
  ['yyyy-MM-dd', '2000-02-29', '2000-02-29'],
  ['yyyyMMdd', '20261122', '2026-11-22'],
  ['d.M.yyyy', '1.2.2026', '2026-02-01'],
  ['d.M.yyyy', '01.12.2026', '2026-12-01'],
  ['dd MMM yyyy', '22 Nov 2026', '2026-11-22'],
  ['dd MMM yyyy', '22 NOV 2026', '2026-11-22'],
  ['dd MMM yyyy', '22 November 2026', undefined],
  ['dd MMMM yyyy', '22 November 2026', '2026-11-22'],
  ['yyyy', '2026', '2026-01-01'],
  ['MM/yyyy', '11/2026', '2026-11-01'],
  ['EEE dd MMM yyyy', 'Sun 22 Nov 2026', '2026-11-22'],
  ['EEE dd MMM yyyy', 'Mon 22 Nov 2026', undefined],
  ['yyyy-MM-dd HH:mm:ss', '2026-11-22 09:30:00', '2026-11-22T09:30:00'],
  ['yyyy-MM-dd HH:mm:ss', '2026-11-22 24:00:00', undefined],
  ['yyyy-MM-dd HH:mm:ss', '2026-11-22 09:60:00', undefined],
  ['yyyy-MM-dd HH:mm:ss', '2026-11-22 09:30:60', undefined],
  ["yyyy-MM-dd'T'HH:mm:ss.SSS", '2026-11-22T09:30:00.120', '2026-11-22T09:30:00.120'],
  ['yyyy-MM-dd hh:mm a', '2026-11-22 12:30 am', '2026-11-22T00:30:00'],
  ['yyyy-MM-dd hh:mm a', '2026-11-22 12:30 PM', '2026-11-22T12:30:00'],
  ['yyyy-MM-dd hh:mm a', '2026-11-22 13:30 PM', undefined],
  ['yyyy-MM-dd HH:mm a', '2026-11-22 13:30 PM', '2026-11-22T13:30:00'],
  ['yyyy-MM-dd HH:mm a', '2026-11-22 13:30 AM', undefined],
  ["yyyy-MM-dd'T'HH:mm:ssZ", '2026-11-22T00:30:00+0100', '2026-11-21T23:30:00Z'],
  ["yyyy-MM-dd'T'HH:mm:ssX", '2026-11-22T00:30:00Z', '2026-11-22T00:30:00Z'],
  ["yyyy-MM-dd'T'HH:mm:ssX", '2026-11-22T00:30:00-05', '2026-11-22T05:30:00Z'],
  ["yyyy-MM-dd'T'HH:mm:ssXXX", '2026-11-22T00:30:00+05:30', '2026-11-21T19:00:00Z'],
  ["yyyy-MM-dd'T'HH:mm:ss.SSSXX", '2026-11-22T00:30:00.500+0000', '2026-11-22T00:30:00.500Z'],
  ["yyyy-MM-dd'T'HH:mm:ssX", '2026-11-22T00:30:00+19', undefined],
  ["yyyy-MM-dd'T'HH:mm:ssX", '0001-01-01T00:30:00+05', undefined],
  ["dd 'of' MMM''yyyy", "22 of Nov'2026", '2026-11-22'],
  ['yyyy.MM.dd', '2026x11x22', undefined],
];

const REFUSED: readonly (readonly [format: string, why: RegExp])[] = [
  ['', /no year/],
  ['MM-dd', /no year/],
  ['yy-MM-dd', /`yy` is not supported/],
  ['yyyy-ww', /`ww` is not supported/],
  ['YYYY-MM-dd', /`YYYY` is not supported/],
  ['yyyy-DDD', /`DDD` is not supported/],
  ['yyyy-MM-dd z', /`z` is not supported/],
  ['yyyy-MM-ddTHH:mm', /`T` is not supported/],
  ["yyyy-MM-dd'T", /not closed/],
  ['yyyy-MM-dd MM', /month twice/],
  ['yyyy-MM-dd hh:mm', /needs `a`/],
  ['yyyy-MM-dd a', /needs `hh`/],
  ['yyyyMd', /followed by digits/],
];

describe('dates', () => {
  for (const [format, text, date] of READ) {
    it(`reads ${text} as ${format}: ${date ?? 'no date'}`, () => {
      const compiled = compileDateFormat(format);
      expect(compiled.ok && compiled.parse(text)).to.equal(date);
    });
  }

  for (const [format, why] of REFUSED) {
    it(`refuses the format ${JSON.stringify(format)}`, () => {
      const compiled = compileDateFormat(format);
      expect(compiled.ok ? '' : compiled.problem).to.match(why);
    });
  }
});
