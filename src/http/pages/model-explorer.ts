import { html, type Html } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import type { Model } from '../../model/model.js';
import { field, number, table } from './parts.js';

interface Entry {
  readonly kind: string;
  /** Where a control file names it. */
  readonly where: string;
  readonly name: string;
  readonly title: string;
  readonly more: string;
}

/** Everything that a control file may name, with what it is. @param query only what has this in its name or title */
export function modelExplorer(model: Model, query: string | undefined): Html {
  const all = entriesOf(model);
  const wanted = query?.toLowerCase();
  const found =
    wanted === undefined
      ? all
      : all.filter(({ name, title, where }) => `${where} ${name} ${title}`.toLowerCase().includes(wanted));
  const rows = found.map(
    ({ kind, where, name, title, more }) =>
      html`<tr>
        <td>${kind}</td>
        <td><code>${printable(name)}</code>${where === '' ? null : html`<br /><small>${printable(where)}</small>`}</td>
        <td>${printable(title)}</td>
        <td class="text"><small>${printable(more)}</small></td>
      </tr>`,
  );
  return html`<section class="card" id="model">
    <h2>What a control file may name</h2>
    <form method="get" action="/workbench" class="bar" role="search">
      ${field('q', 'Name or title', { type: 'search', value: query ?? '', isRequired: false })}
      <button>Search</button>
    </form>
    <p class="soft" role="status">
      ${number(found.length)} of ${number(all.length)}, of the model ${printable(model.name)}
    </p>
    ${table(['What', 'Name', 'Title', 'More'], rows, 'The model')}
  </section>`;
}

function entriesOf(model: Model): Entry[] {
  const named = (kind: string, list: readonly { readonly code: string; readonly title: string }[]): Entry[] =>
    list.map(({ code, title }) => ({ kind, where: '', name: code, title, more: '' }));
  return [
    ...[...model.destinations.values()].flatMap((destination) =>
      [...destination.names.values()].map(({ name, title, dataType, required, multivalue }) => ({
        kind: 'value',
        where: `destination ${destination.name}`,
        name,
        title,
        more: [dataType, ...(required ? ['required'] : []), ...(multivalue ? ['several'] : [])].join(', '),
      })),
    ),
    ...model.groups.map(({ code, title, managed, typeActive, typePast }) => ({
      kind: 'group',
      where: '',
      name: code,
      title,
      more: [
        managed ? 'managed' : 'not managed',
        ...(typeActive === null ? [] : [`active: ${typeActive}`]),
        ...(typePast === null ? [] : [`past: ${typePast}`]),
      ].join(', '),
    })),
    ...named('qualifier', model.qualifiers),
    ...model.types.map(({ code, title, parent }) => ({
      kind: 'type',
      where: '',
      name: code,
      title,
      more: parent === null ? '' : `a kind of ${parent}`,
    })),
    ...model.objects.map(({ behaviour, title, type }) => ({
      kind: 'object',
      where: '',
      name: behaviour,
      title,
      more: type,
    })),
  ];
}
