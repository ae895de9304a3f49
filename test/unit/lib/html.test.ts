import { expect } from 'chai';
import fc from 'fast-check';
import { html, type Html } from '../../../src/lib/html.js';

/** Without the line breaks that prettier puts into templates. */
function markupOf(markup: Html): string {
  return markup.toString().replace(/\s*\n\s*/g, '');
}

describe('HTML by template', () => {
  it('escapes what is put in, and leaves HTML as it is', () => {
    const name = `<b title="x">'&`;
    const cell = html`<td title="${name}">${name}</td>`;
    const escaped = '&lt;b title=&quot;x&quot;&gt;&#39;&amp;';
    const row = html`<tr>
      ${cell}
    </tr>`;
    expect(markupOf(row)).to.equal(`<tr><td title="${escaped}">${escaped}</td></tr>`);
  });

  it('shows lists one after the other, and nothing for what is not there', () => {
    const items = ['a', '<'].map((text) => html`<li>${text}</li>`);
    const list = html`<ul>
      ${items}${null}${undefined}${false}${0}${['&']}
    </ul>`;
    expect(markupOf(list)).to.equal('<ul><li>a</li><li>&lt;</li>0&amp;</ul>');
  });

  it('lets no text open or end anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', 'a', ';', '\n') }), (text) => {
        const shown = html`${text}`.toString();
        expect(shown).not.to.match(/[<>"']/);
        expect(shown.replace(/&(?:amp|lt|gt|quot|#39);/g, '')).not.to.include('&');
      }),
    );
  });
});
