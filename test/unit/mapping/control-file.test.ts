import { expect } from 'chai';
import type { Problem } from '../../../src/lib/errors.js';
import { validateControlFile, type ValidationOptions } from '../../../src/mapping/control-file.js';
import { CONTROL_FILE_PROBLEMS } from '../../../src/mapping/problems.js';
import { isKnownCharset, READER_FORMATS } from '../../../src/readers/registry.js';
import { parseModel } from '../../../src/model/parse-model.js';
import { DOCUMENT, files, INSTRUCTIONS, JOB, mapping, TEXTS, type Row } from './control-file-cases.js';
import { controlText, model, USER_INSTRUCTIONS } from './mapping-case.js';

describe('validation of control files', () => {
  const seen = new Set<string>();
  const validate = (text: string, options: ValidationOptions = { isKnownCharset }): readonly Problem[] => {
    const { control, problems } = validateControlFile(text, model, READER_FORMATS, options);
    for (const problem of problems) seen.add(problem.code);
    expect(control === null).to.equal(problems.some((problem) => problem.severity === 'error'));
    return problems;
  };

  const check = (text: string, expected: Row[2]): void => {
    const problems = validate(text);
    if (expected === undefined) {
      expect(problems).to.deep.equal([]);
      return;
    }
    const [code, pointer, message] = expected;
    const found = problems.find((problem) => problem.code === code && problem.pointer === pointer);
    expect(problems.map((problem) => `${problem.code} ${problem.pointer}`)).to.include(`${code} ${pointer}`);
    expect(found?.severity).to.equal(CONTROL_FILE_PROBLEMS[code][0]);
    expect(found?.line).to.be.a('number');
    if (message !== undefined) expect(found?.message).to.match(message);
  };

  it('passes a right one, and keeps what it says', () => {
    const { control, problems } = validateControlFile(
      controlText(
        USER_INSTRUCTIONS,
        files({ a: { read: 'csv', charset: 'latin1', delimiter: ';' }, b: { read: 'json' } }),
      ),
      model,
      READER_FORMATS,
      { isKnownCharset },
    );
    expect(problems).to.deep.equal([]);
    expect(control?.files).to.deep.equal([
      { name: 'a', read: 'csv', options: { charset: 'latin1', delimiter: ';' } },
      { name: 'b', read: 'json', options: {} },
    ]);
    expect(control?.instructions).to.have.length(4);
  });

  describe('of instructions', () => {
    for (const [rule, added, problem] of INSTRUCTIONS) {
      it(rule, () => check(controlText([...USER_INSTRUCTIONS, added]), problem));
    }
  });

  describe('of the document', () => {
    for (const [rule, added, problem] of DOCUMENT) {
      it(rule, () => check(controlText(USER_INSTRUCTIONS, { ...added }), problem));
    }

    for (const key of ['dataImportControlFileVersion', 'model', 'files', 'instructions']) {
      it(`needs ${key}`, () => {
        const document = JSON.parse(controlText(USER_INSTRUCTIONS)) as Record<string, unknown>;
        delete document[key];
        check(JSON.stringify(document), ['missing-key', `/${key}`]);
      });
    }

    for (const [what, text, code] of TEXTS) {
      it(`refuses ${what}`, () => {
        expect(validate(text).map((problem) => problem.code)).to.include(code);
      });
    }

    it('refuses a mapping by title with too many candidates', () => {
      const object = { type: 'std:type:organisation', title: 'O' };
      const objects = Array.from({ length: 4097 }, (_, index) => ({ ...object, behaviour: `o${index}` }));
      const large = parseModel(JSON.stringify({ ...(JSON.parse(model.source) as object), objects }), 'a large model');
      const text = controlText(
        USER_INSTRUCTIONS,
        mapping({ using: 'title', types: ['std:type:organisation'], values: {} }),
      );
      const { problems } = validateControlFile(text, large, READER_FORMATS);
      for (const problem of problems) seen.add(problem.code);
      expect(problems.map((problem) => problem.code)).to.include('too-many-candidates');
    });
  });

  it('reports every problem at once, in the order of the file, where it stands', () => {
    const text = [
      '{',
      '  "dataImportControlFileVersion": 0,',
      '  "model": "haplo:user-sync",',
      '  "files": { "DEFAULT": { "read": "json" } },',
      '  "instructions": [',
      '    { "source": "u", "destination": "user", "name": "username", "filters": ["a", "b"] },',
      '    { "source": "x", "destination": "usr", "name": "x" }',
      '  ]',
      '}',
    ].join('\n');
    expect(validate(text).map(({ code, pointer, line, column }) => [code, pointer, line, column])).to.deep.equal([
      ['default-file', '/files/DEFAULT', 4, 14],
      ['unknown-filter', '/instructions/0/filters/0', 6, 77],
      ['unknown-filter', '/instructions/0/filters/1', 6, 82],
      ['unknown-destination', '/instructions/1/destination', 7, 37],
    ]);
  });

  it('stops listing problems at some point, and says so', () => {
    const problems = validate(
      controlText(Array.from({ length: 5000 }, () => ({ source: 's', destination: 'nobody', name: 'x' }))),
    );
    expect(problems).to.have.length(1001);
    expect(problems.map((problem) => problem.code)).to.include('too-many-problems');
  });

  it('lets pass what the options say is supported', () => {
    const text = controlText(
      [
        ...USER_INSTRUCTIONS,
        { action: 'if-has-value', ...JOB, then: [] },
        {
          source: 's',
          destination: 'profile',
          name: 'std:attribute:relationship-manager',
          filters: ['haplo:username-to-ref'],
        },
      ],
      { recordProcessor: 'join' },
    );
    expect(validate(text, { recordProcessors: ['join'] })).to.deep.equal([]);
  });

  describe('of all that is above', () => {
    it('reports every code of its table somewhere', () => {
      expect(Object.keys(CONTROL_FILE_PROBLEMS).filter((code) => !seen.has(code))).to.deep.equal([]);
    });
  });
});
