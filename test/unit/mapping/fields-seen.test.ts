import { expect } from 'chai';
import { FieldsSeen } from '../../../src/mapping/fields-seen.js';
import { readControlFile } from '../../../src/sync/control.js';
import { controlLanguage } from '../../../src/plugins/control-language.js';
import { modelWith } from '../../support/docs-examples.js';
import { join } from 'node:path';
import { packageRoot } from '../../../src/lib/package-root.js';
import type { InputRecord } from '../../../src/domain/record.js';

const language = controlLanguage(modelWith(join(packageRoot(), 'config', 'model.json'), []));

/** What is said of these records under a control file that reads `id`, `first`, `last` and `mail`, and `job` in a branch. */
function hints(...records: readonly InputRecord[]): string[] {
  const field = (source: string, name: string): object => ({ source, destination: 'user', name });
  const control = {
    dataImportControlFileVersion: 0,
    model: 'haplo:user-sync',
    files: { users: { read: 'csv' } },
    instructions: [
      field('id', 'username'),
      field('first', 'nameFirst'),
      field('last', 'nameLast'),
      field('mail', 'email'),
      {
        action: 'if-exists',
        source: 'job',
        then: [{ source: 'position', destination: 'profile', name: 'std:attribute:job-title' }],
      },
    ],
  };
  const seen = new FieldsSeen(readControlFile(JSON.stringify(control), language, 'The control file'));
  for (const record of records) seen.add(record);
  return seen.hints();
}

const PERSON = { id: 'ada', first: 'Ada', last: 'Lovelace', mail: 'ada@example.org' };

describe('The fields that a control file reads', () => {
  it('are not mentioned when records have them, or when a field is merely empty everywhere', () => {
    expect(hints(PERSON)).to.deep.equal([]);
    expect(hints({ ...PERSON, shoe: 44 })).to.deep.equal([]);
    expect(hints()).to.deep.equal([]);
  });

  it('are compared with fields that nothing reads, in branches too', () => {
    const { mail, ...others } = PERSON;
    expect(hints({ ...others, mial: mail })).to.deep.equal(['No record has the field `mail`: did you mean `mial`?']);
    expect(hints({ ...PERSON, postion: 'x' })).to.deep.equal([
      'No record has the field `position`: did you mean `postion`?',
    ]);
  });

  it('are missed when they give the username, with what there is instead', () => {
    const { id, ...others } = PERSON;
    expect(hints({ ...others, staffNumber: id })).to.deep.equal([
      'No record has the field `id`, which gives the username. Fields not used: `staffNumber`.',
    ]);
  });

  it('are one long name when the file needs another delimiter', () => {
    expect(hints({ 'id;first;last': 'ada;Ada;Lovelace' })).to.deep.equal([
      'The records have one field, `id;first;last`: does the file need another `delimiter` or `separator`?',
    ]);
  });
});
