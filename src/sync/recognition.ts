import { hash } from 'node:crypto';
import type { InputRecord, RecordPosition } from '../domain/record.js';
import type { CompiledMapping } from '../mapping/compile.js';
import type { ReadItem } from '../readers/reader.js';
import { rawText } from './stage-rows.js';

/** A batch of records whose usernames and digests the main thread looks up at once; lists in Postgres' own notation. */
export interface RecognitionQuestion {
  readonly usernames: string;
  readonly digests: string;
}

export interface RecognitionAnswer {
  /** Digests of what the records are mapped to, in order, separated by commas; empty for those that are not recognised. */
  readonly digests: string;
  /** How many of the recognised ones give which names, as `GivenNames` writes them. */
  readonly given: Readonly<Record<string, number>>;
}

/** An item of the batch with what is known of it before it is mapped. */
export interface SeenItem {
  /** A record without `value` is to be parsed again: between question and answer, its text takes less room. */
  readonly item: ReadItem | UnparsedRecord;
  readonly raw: string;
  username: string | null;
  recordDigest: string | null;
  /** Of what the record is mapped to, when it is the one last taken in for its user. */
  digest: string | null;
}

export interface UnparsedRecord {
  readonly kind: 'record';
  readonly position: RecordPosition;
  readonly value?: undefined;
}

export interface SeenItems {
  readonly items: readonly SeenItem[];
  readonly given: RecognitionAnswer['given'];
}

export interface Look {
  /** A promise when somebody had to be asked. */
  readonly seen: SeenItems | Promise<SeenItems>;
  /** Of its records: what is held until the answer is there; 0 when nobody was asked. */
  readonly characters: number;
}

/** After so many records it is known whether asking is worth its while. */
const TRIAL = 20_000;
/** Of so many records at least one must be recognised. */
const WORTHWHILE = 20;

/**
 * Finds the records that are the same as last time before they are mapped: in the everyday batch nearly all, and mapping,
 * sending and storing them costs more than everything else. A record is digested together with all that decides what it is
 * mapped to, and that the same record is mapped to the same is what makes it safe.
 *
 * Stops asking in a batch of which hardly anything is recognised: the first one, or one after a new control file.
 */
export class Recognition {
  readonly #seed: string;
  readonly #mapping: CompiledMapping;
  readonly #ask: ((question: RecognitionQuestion) => Promise<RecognitionAnswer>) | undefined;
  #asked = 0;
  #recognised = 0;

  /** @param ask undefined: records are digested for the next time, and none is recognised */
  constructor(
    seed: string,
    mapping: CompiledMapping,
    ask?: (question: RecognitionQuestion) => Promise<RecognitionAnswer>,
  ) {
    this.#seed = seed;
    this.#mapping = mapping;
    this.#ask = ask;
  }

  look(items: readonly ReadItem[]): Look {
    const isAsked = this.#ask !== undefined && (this.#asked < TRIAL || this.#recognised * WORTHWHILE >= this.#asked);
    const seen = items.map((item) => this.#digested(item, isAsked));
    const asked = seen.filter(({ username }) => username !== null);
    if (this.#ask === undefined || asked.length === 0) return { seen: { items: seen, given: {} }, characters: 0 };
    const characters = seen.reduce((sum, { raw }) => sum + raw.length, 0);
    return { seen: this.#askAbout(this.#ask, seen, asked), characters };
  }

  async #askAbout(
    ask: (question: RecognitionQuestion) => Promise<RecognitionAnswer>,
    seen: readonly SeenItem[],
    asked: readonly SeenItem[],
  ): Promise<SeenItems> {
    const { digests, given } = await ask({
      usernames: arrayLiteral(asked.map(({ username }) => quoted(username ?? ''))),
      digests: arrayLiteral(asked.map(({ recordDigest }) => recordDigest ?? '')),
    });
    this.#asked += asked.length;
    const known = digests.split(',');
    asked.forEach((one, index) => {
      const digest = known[index] ?? '';
      if (digest === '') return;
      one.digest = digest;
      this.#recognised += 1;
    });
    return { items: seen, given };
  }

  #digested(item: ReadItem, isAsked: boolean): SeenItem {
    if (item.kind !== 'record') return seenItem(item);
    const raw = rawText(item.value, item.raw);
    const username = isAsked ? this.#mapping.readUsername(item.value) : null;
    const kept = isAsked ? { kind: item.kind, position: item.position } : item;
    return { item: kept, raw, username, recordDigest: shortDigest(this.#seed + raw), digest: null };
  }
}

/** What the record of an item says. */
export function valueOf({ item, raw }: SeenItem): InputRecord {
  return item.value ?? (JSON.parse(raw) as InputRecord);
}

/** An item of which nothing is known yet. */
export function seenItem(item: ReadItem): SeenItem {
  const raw = rawText(item.value, item.kind === 'record' ? item.raw : undefined);
  return { item, raw, username: null, recordDigest: null, digest: null };
}

/**
 * 128 bits of SHA-256, in the form of a uuid: the narrowest column type that holds them. Enough that nobody can make a
 * change that looks like none.
 */
export function shortDigest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32);
}

function arrayLiteral(elements: readonly string[]): string {
  return `{${elements.join(',')}}`;
}

function quoted(text: string): string {
  return `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`;
}
