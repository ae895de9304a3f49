import { expect } from 'chai';
import { UTF_8, charsetNamed, isKnownCharset } from '../../../src/readers/charset.js';

describe('charsets', () => {
  it('are known by the names that people write', () => {
    const spellings: Record<string, string[]> = {
      'utf-8': ['utf-8', 'UTF8', 'utf_8', 'Utf-8', ' utf-8 '],
      'windows-1252': [
        'windows-1252',
        'Cp1252',
        'CP-1252',
        'win1252',
        'iso-8859-1',
        'ISO8859_1',
        'iso_8859-1',
        'latin1',
        'Latin-1',
        'ansi',
      ],
      'us-ascii': ['us-ascii', 'ASCII', 'US_ASCII', 'ansi_x3.4-1968'],
      'utf-16le': ['utf-16', 'UTF16', 'utf_16', 'utf-16le', 'UTF-16LE', 'utf16le'],
      'utf-16be': ['utf-16be', 'UTF_16BE'],
      'iso-8859-2': ['iso-8859-2', 'ISO8859-2', 'latin2'],
      'iso-8859-15': ['iso-8859-15', 'ISO8859_15'],
      'windows-1250': ['cp1250'],
      'windows-1251': ['cp1251'],
      shift_jis: ['shift_jis', 'Shift-JIS', 'sjis'],
      gbk: ['gbk', 'gb2312'],
      macintosh: ['MacRoman', 'macintosh'],
      ibm866: ['cp866', 'ibm866'],
    };
    for (const [name, names] of Object.entries(spellings)) {
      for (const spelling of names) expect(charsetNamed(spelling)?.name, spelling).to.equal(name);
    }
  });

  it('are unknown when nobody knows them, or when their bytes cannot be scanned', () => {
    for (const name of ['', 'klingon', 'utf-7', 'iso-2022-jp', 'cp0', 'base64'])
      expect(isKnownCharset(name), name).to.equal(false);
  });

  it('decode every byte of windows-1252 as the standard says', () => {
    const bytes = Buffer.from([0x80, 0x92, 0x96, 0xe9, 0x41]);
    expect(charsetNamed('windows-1252')?.text(bytes, 0, 5)).to.equal('€’–éA');
    expect(charsetNamed('iso-8859-15')?.text(Buffer.from([0xa4]), 0, 1)).to.equal('€');
    expect(charsetNamed('shift_jis')?.text(Buffer.from([0x93, 0xfa, 0x41]), 0, 3)).to.equal('日A');
  });

  it('find the first invalid byte, and none in valid bytes', () => {
    const cases: [string, number[], number][] = [
      ['utf-8', [0x41, 0xc3, 0xa9], -1],
      ['utf-8', [0xef, 0xbf, 0xbd, 0x41], -1],
      ['utf-8', [0x41, 0xe9, 0x41], 1],
      ['utf-8', [0xef, 0xbf, 0xbd, 0xff], 3],
      ['utf-8', [0x41, 0xe2, 0x82], 1],
      ['utf-8', [0x41, 0xef, 0xbf], 1],
      ['utf-8', [0x41, 0xc0, 0x80], 1],
      ['utf-8', [0xed, 0xa0, 0x80], 0],
      ['us-ascii', [0x41, 0x7f], -1],
      ['us-ascii', [0x41, 0x80], 1],
      ['windows-1252', [0x81, 0x8d, 0x92], -1],
      ['windows-1253', [0x41, 0xd2, 0x41], 1],
      ['shift_jis', [0x93, 0xfa], -1],
      ['shift_jis', [0x41, 0x93], 1],
    ];
    for (const [name, bytes, expected] of cases) {
      const buffer = Buffer.from([0x20, ...bytes]);
      expect(charsetNamed(name)?.invalidAt(buffer, 1, buffer.length), `${name} ${bytes.join(' ')}`).to.equal(expected);
    }
    const long = Buffer.alloc(10_001, 0x41);
    long[9_000] = 0xd2;
    expect(charsetNamed('windows-1253')?.invalidAt(long, 1, long.length)).to.equal(8_999);
  });

  it('decode UTF-8 lossily, without dropping U+FEFF', () => {
    expect(UTF_8.text(Buffer.from('\ufeffa'), 0, 4)).to.equal('\ufeffa');
    expect(UTF_8.text(Buffer.from([0xff]), 0, 1)).to.equal('\ufffd');
  });
});
