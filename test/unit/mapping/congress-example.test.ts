import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { InputRecord } from '../../../src/domain/record.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { compileControlFile } from '../../../src/mapping/compile.js';
import { validateControlFile } from '../../../src/mapping/control-file.js';
import { parseModel } from '../../../src/model/parse-model.js';
import { READER_FORMATS } from '../../../src/readers/registry.js';

const SENATOR: InputRecord = {
  USERNAME: 'X000001',
  TITLE: 'Sen.',
  FIRST_NAME: 'Pat',
  LAST_NAME: 'Example',
  EMAIL: 'x000001@congress.example',
  OFFICIAL_NAME: 'Pat Q. Example, Jr.',
  CHAMBER: 'sen',
  STATE: 'OH',
  PARTY: 'Democrat',
  PHONE: '202-224-2315',
  URL: 'https://www.example.senate.gov',
  ADDRESS: '1 Example Building Washington DC 20510',
  TERM_START: '2019-01-03',
  TERM_END: '2025-01-03',
};

describe('the example of a congress', () => {
  const read = (name: string): string => readFileSync(join(packageRoot(), 'config', 'examples', name), 'utf8');
  const model = parseModel(read('congress-model.json'), 'the example');
  const { control, problems } = validateControlFile(read('congress.json'), model, READER_FORMATS);
  if (control === null) throw new Error(JSON.stringify(problems));
  const mapping = compileControlFile(control, model);

  it('has no problems, not even warnings', () => {
    expect(problems).to.deep.equal([]);
  });

  it('maps a member with everything that the flat fields bear', () => {
    const outcome = mapping.map({ ...SENATOR, terms: [{ type: 'sen' }] });
    const all = (value: unknown): object => ({ drop: 'all', values: [{ value }] });
    expect(outcome).to.deep.include({
      accepted: true,
      user: {
        username: 'x000001',
        email: 'x000001@congress.example',
        title: 'Sen.',
        nameFirst: 'Pat',
        nameLast: 'Example',
        groups: ['congress:group:senate'],
      },
      profile: {
        'std:attribute:job-title': all('Senator'),
        'std:attribute:telephone': all('+1 202 224 2315'),
        'std:attribute:address': {
          drop: 'all',
          values: [
            {
              value: { street1: '1 Example Building Washington DC 20510', country: 'US' },
              qualifier: 'std:qualifier:office',
            },
          ],
        },
        'std:attribute:url': all('https://www.example.senate.gov'),
        'congress:attribute:official-name': all('Pat Q. Example, Jr.'),
        'congress:attribute:party': all('Democrat'),
        'congress:attribute:state': all('OH'),
        'congress:attribute:term-start': all('2019-01-03'),
        'congress:attribute:term-end': all('2025-01-03'),
      },
      errors: [],
    });
  });

  it('maps a field that is empty and one that is absent to the same', () => {
    const empty = { ...SENATOR, PHONE: '', ADDRESS: '', URL: '', TITLE: '' };
    const absent: Record<string, unknown> = { ...SENATOR };
    for (const name of ['PHONE', 'ADDRESS', 'URL', 'TITLE']) delete absent[name];
    expect(mapping.map(empty)).to.deep.equal(mapping.map(absent as InputRecord));
    expect(mapping.map(empty))
      .to.have.nested.property('profile.std:attribute:telephone')
      .deep.equal({ drop: 'all', values: [] });
  });

  it('rejects a chamber that is none', () => {
    expect(mapping.map({ ...SENATOR, CHAMBER: 'gov' }).errors[0]).to.include({
      code: 'unknown-group',
      source: 'CHAMBER',
    });
  });
});
