/**
 * A record of a text format. Nothing is inherited, so that names like `__proto__` and `constructor` are plain data;
 * unlike `Object.create(null)`, engines keep instances of one constructor in their fast form.
 */
export type BareRecord = Record<string, string>;

interface BareRecordConstructor {
  new (): BareRecord;
}

function Bare(): void {
  // Fields are set by the readers.
}
Bare.prototype = Object.create(null) as object;

export const BareRecord = Bare as unknown as BareRecordConstructor;
