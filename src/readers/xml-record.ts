import { BareRecord } from './bare-record.js';
import { StrictXmlParser, type XmlError, localName } from './xml-parser.js';
import { PlainXmlReader } from './xml-plain.js';

/** Whether values are the text of a record's child elements or its attributes. */
export type XmlValues = 'text-of-children' | 'attributes';

export interface XmlRecord {
  readonly record: BareRecord;
  /** How many values the record has, before those of the same name replaced each other. */
  readonly count: number;
  readonly error: XmlError | undefined;
}

/**
 * Reads records, each given whole. One parser serves all records as long as none has an error.
 *
 * A child's value is all text in it, CDATA and deeper elements included, as it stands, not trimmed. Of children (or
 * attributes of different namespaces) with the same local name the last counts.
 */
export class XmlRecordParser {
  private readonly plain = new PlainXmlReader();
  private parser: StrictXmlParser;
  private record = new BareRecord();
  private count = 0;
  private depth = 0;
  private text = '';
  /** Whether the record's end was seen. */
  private complete = false;

  constructor(private readonly values: XmlValues) {
    this.parser = this.newParser();
  }

  read(text: string): XmlRecord {
    const plain = this.values === 'text-of-children' ? this.plain.read(text) : undefined;
    return plain ?? this.parse(text);
  }

  /** As `read`, by the parser whatever the record is. */
  parse(text: string): XmlRecord {
    this.record = new BareRecord();
    this.count = 0;
    this.depth = 0;
    this.complete = false;
    this.parser.write(text);
    let { error } = this.parser;
    // The parser waits for the semicolon that ends an entity, over the end of the record if need be.
    if (error === undefined && !this.complete)
      error = { message: 'an & begins no entity', offset: bareAmpersand(text) };
    if (error !== undefined) this.parser = this.newParser();
    return { record: this.record, count: this.count, error };
  }

  /** What can be read of a text that is cut off or wrong somewhere: the values before that place. */
  readLoosely(text: string): BareRecord {
    const { record } = this.parse(text);
    this.parser = this.newParser();
    return record;
  }

  private newParser(): StrictXmlParser {
    const parser = new StrictXmlParser(true);
    const { sax } = parser;
    sax.on('opentag', ({ attributes }) => {
      this.depth++;
      if (this.depth === 1 && this.values === 'attributes' && parser.error === undefined)
        this.takeAttributes(attributes);
      if (this.depth === 2) this.text = '';
    });
    sax.on('closetag', ({ name }) => {
      if (this.depth === 2 && this.values === 'text-of-children' && parser.error === undefined) {
        this.take(localName(name), this.text);
      }
      this.depth--;
      this.complete = this.depth === 0;
    });
    if (this.values === 'text-of-children') {
      sax.on('text', (text) => (this.text += text));
      sax.on('cdata', (text) => (this.text += text));
    }
    return parser;
  }

  private takeAttributes(attributes: Readonly<Record<string, unknown>>): void {
    for (const name of Object.keys(attributes)) {
      const value = attributes[name];
      const isNamespace = name === 'xmlns' || name.startsWith('xmlns:');
      if (!isNamespace && typeof value === 'string') this.take(localName(name), value);
    }
  }

  private take(name: string, value: string): void {
    this.record[name] = value;
    this.count++;
  }
}

function bareAmpersand(text: string): number {
  const at = text.search(/&(?!#?\w+;)/);
  return at < 0 ? text.length : at;
}
