import { SaxesParser } from 'saxes';

/** What the XML parser has against a document, as an index into the text it was last given. */
export interface XmlError {
  readonly message: string;
  readonly offset: number;
}

type Options = { fragment: boolean };

/**
 * saxes, set up for untrusted input: XML 1.0 whatever is declared, only the five predefined entities, no document type,
 * the first error is the last. (What it reports after an error is guesswork.)
 */
export class StrictXmlParser {
  error: XmlError | undefined;
  readonly sax: SaxesParser<Options>;
  /** Characters of all texts before the present one. */
  private before = 0;

  constructor(fragment: boolean) {
    this.sax = new SaxesParser({ fragment, xmlns: false, defaultXMLVersion: '1.0', forceXMLVersion: true });
    this.sax.on('error', (error) => this.fail(error.message));
    this.sax.on('doctype', () => this.fail('a document type is not allowed'));
    // The parser's own table inherits from Object.prototype, where &toString; would find something.
    const entities = Object.create(null) as Record<string, string>;
    this.sax.ENTITIES = Object.assign(entities, { amp: '&', gt: '>', lt: '<', quot: '"', apos: "'" });
  }

  /** @returns false when there is, or was, an error */
  write(text: string): boolean {
    if (this.error === undefined) {
      this.sax.write(text);
      this.before += text.length;
    }
    return this.error === undefined;
  }

  close(): boolean {
    if (this.error === undefined) this.sax.close();
    return this.error === undefined;
  }

  fail(message: string): void {
    // The parser begins its messages with a line and column of its own count.
    const reason = message.replace(/^\d+:\d+: /, '').replace(/\.$/, '');
    this.error ??= { message: reason, offset: Math.max(0, this.sax.position - this.before) };
  }
}

/** `name` without its namespace prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
