import type { ExistingObject, ExistingUser } from '../mapping/existing.js';
import { isRef, type ObjectLookup } from '../mapping/references.js';
import type { Model } from '../model/model.js';
import type { KnownObjects, StageAnswer, StageQuestion } from './stage-messages.js';

/** Asks the thread that has the database. */
export type Ask = (question: Omit<StageQuestion, 'type'>) => Promise<Omit<StageAnswer, 'type'>>;

/**
 * What the directory holds, for the records of one batch at a time: mapping is a pure function, so a record that asks
 * for something not yet known is simply mapped again when it is. A batch costs as many questions as the longest chain of
 * look-ups in one record, whatever its length, and a control file that asks for nothing costs none.
 */
export class DirectoryView implements ObjectLookup {
  readonly #ask: Ask;
  readonly #model: Model;
  readonly #known: KnownObjects;
  #users: ReadonlyMap<string, ExistingUser> = new Map();
  /** Undefined: asked for, and not there. */
  readonly #objects = new Map<string, ExistingObject | undefined>();
  readonly #missing = new Set<string>();

  constructor(known: KnownObjects, model: Model, ask: Ask) {
    this.#known = known;
    this.#model = model;
    this.#ask = ask;
  }

  byBehaviour(code: string): string | undefined {
    const { behaviours } = this.#known;
    return Object.hasOwn(behaviours, code) ? behaviours[code] : undefined;
  }

  byTitle(types: readonly string[], title: string): string | undefined {
    const isOfType = (own: readonly string[]): boolean =>
      own.some((one) => types.some((type) => this.#model.isKindOf(one, type)));
    return this.#known.titles.find((object) => object.title === title && isOfType(object.types))?.ref;
  }

  byRef(text: string): ExistingObject | undefined {
    if (!isRef(text)) return undefined;
    if (!this.#objects.has(text)) this.#missing.add(text);
    return this.#objects.get(text);
  }

  user(username: string | null): ExistingUser | undefined {
    return username === null ? undefined : this.#users.get(username);
  }

  /**
   * Does the work with everything that it looks up at hand.
   *
   * @param usernames whose users `user` will be asked for
   * @param work is done again for every round of look-ups, and so must have no effect but its result
   */
  async with<T>(usernames: readonly string[], work: () => T): Promise<T> {
    this.#objects.clear();
    this.#users = usernames.length === 0 ? new Map() : (await this.#ask({ usernames, refs: [] })).users;
    for (;;) {
      this.#missing.clear();
      const result = work();
      if (this.#missing.size === 0) return result;
      const refs = [...this.#missing];
      const { objects } = await this.#ask({ usernames: [], refs });
      for (const ref of refs) this.#objects.set(ref, undefined);
      for (const object of objects) this.#objects.set(object.ref, object);
    }
  }
}
