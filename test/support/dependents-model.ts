import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/lib/package-root.js';

/**
 * The shipped model with books that belong to people, pages that belong to books, and a locker: every kind of extra
 * destination. As the text of a model file.
 */
export function dependentsModel(): string {
  const text = readFileSync(join(packageRoot(), 'config', 'model.json'), 'utf8');
  const file = JSON.parse(text) as Record<'types' | 'attributes' | 'tags' | 'destinations', object[]>;
  file.types.push(
    { code: 'test:type:page', title: 'Page' },
    { code: 'test:type:thesis', title: 'Thesis', parent: 'std:type:book' },
  );
  file.attributes.push(
    { code: 'test:attribute:name', title: 'Name', dataType: 'text', types: ['std:type:book', 'test:type:page'] },
    ref('test:attribute:owner', 'std:type:book', 'std:type:person'),
    ref('test:attribute:book', 'test:type:page', 'std:type:book'),
    ref('test:attribute:reviewer', 'std:type:book', 'std:type:person'),
    { code: 'test:attribute:text', title: 'Text', dataType: 'text', types: ['std:type:person'] },
    {
      code: 'test:attribute:loan',
      title: 'Loan',
      dataType: 'attribute-group',
      attributes: ['test:attribute:text', 'test:attribute:reviewer'],
      types: ['std:type:book', 'std:type:person'],
    },
  );
  file.destinations.push(
    { name: 'book', title: 'Book', objectType: 'std:type:book', depends: 'profile', link: 'test:attribute:owner' },
    { name: 'book:page', title: 'Page', objectType: 'test:type:page', depends: 'book', link: 'test:attribute:book' },
    {
      name: 'test:locker',
      title: 'Locker',
      kind: 'dictionary',
      names: [
        { name: 'number', title: 'Number', dataType: 'integer', required: true },
        { name: 'colour', title: 'Colour' },
      ],
    },
  );
  return JSON.stringify(file);
}

function ref(code: string, type: string, to: string): object {
  return { code, title: code, dataType: 'ref', refTypes: [to], types: [type] };
}
