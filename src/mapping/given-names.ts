import { EMAIL_ATTRIBUTE, TITLE_ATTRIBUTE } from '../model/destinations.js';

/** Every record has these, or the sync sets them itself: counting them says nothing. */
const ALWAYS_GIVEN: ReadonlySet<string> = new Set([
  'user/username',
  'user/email',
  'user/nameFirst',
  'user/nameLast',
  `profile/${TITLE_ATTRIBUTE}`,
  `profile/${EMAIL_ATTRIBUTE}`,
]);

const BITS = 32;

/**
 * For which names a record gives a value: a set of bits, short enough to keep with every user. A name counts once for a
 * record, however many values or objects have it.
 */
export class GivenNames {
  /** `destination/name` by place, in an order that depends on the control file alone. */
  readonly names: readonly string[];
  readonly #places = new Map<string, Map<string, number>>();
  readonly #words: Uint32Array;

  /** @param mentioned `CompiledMapping.mentioned` */
  constructor(mentioned: readonly string[]) {
    this.names = mentioned.filter((name) => !ALWAYS_GIVEN.has(name));
    this.#words = new Uint32Array(Math.max(1, Math.ceil(this.names.length / BITS)));
    this.names.forEach((key, place) => {
      const slash = key.indexOf('/');
      const destination = key.slice(0, slash);
      const names = this.#places.get(destination) ?? new Map<string, number>();
      this.#places.set(destination, names.set(key.slice(slash + 1), place));
    });
  }

  clear(): void {
    this.#words.fill(0);
  }

  /** Names that are not counted are left out. */
  add(destination: string, name: string): void {
    const place = this.#places.get(destination)?.get(name);
    if (place === undefined) return;
    const word = Math.floor(place / BITS);
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (place % BITS));
  }

  /** The set as hexadecimal digits. */
  toHex(): string {
    let hex = '';
    for (const word of this.#words) hex += word.toString(16).padStart(8, '0');
    return hex;
  }

  /** Whether a set that `toHex` wrote has the name at a place. */
  static has(hex: string, place: number): boolean {
    const word = Math.floor(place / BITS) * 8;
    return ((Number.parseInt(hex.slice(word, word + 8), 16) >>> (place % BITS)) & 1) === 1;
  }
}

/** Most different sets that are told apart before they are added up. */
const MOST_SETS = 4096;

/** How many records give a value, by name. */
export class ValueCounts {
  readonly #names: readonly string[];
  readonly #totals: number[];
  readonly #records = new Map<string, number>();

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#totals = names.map(() => 0);
  }

  /** @param given as `GivenNames.toHex` wrote it */
  add(given: string, records = 1): void {
    this.#records.set(given, (this.#records.get(given) ?? 0) + records);
    if (this.#records.size > MOST_SETS) this.#addUp();
  }

  toRecord(): Record<string, number> {
    this.#addUp();
    return Object.fromEntries(this.#names.map((name, place) => [name, this.#totals[place] ?? 0]));
  }

  #addUp(): void {
    for (const [given, records] of this.#records) {
      for (let place = 0; place < this.#totals.length; place++) {
        if (GivenNames.has(given, place)) this.#totals[place] = (this.#totals[place] ?? 0) + records;
      }
    }
    this.#records.clear();
  }
}
