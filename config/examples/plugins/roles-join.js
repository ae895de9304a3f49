// @ts-check
import { Buffer } from 'node:buffer';

/**
 * An example of a plugin, which a test runs: a record processor that joins a file of roles to a file of users, a filter and
 * a hook. docs/plugins.md explains the parts.
 *
 * Both files have to be sorted by `id`, bytewise, as Postgres does it with `ORDER BY id COLLATE "C"`. Then neither has to
 * be held in memory: the two are read side by side.
 *
 * @import { ChangeState, HookContext, ProcessorContext, ProcessorFile, ProcessedRecords, ReadItem, ReadRecord } from 'user-sync/plugin'
 */

/** @type {import('user-sync/plugin').Plugin} */
const plugin = {
  recordProcessors: { 'example:join-roles': joinRoles },
  filters: {
    // One instance serves a whole run, so what it keeps here is shared by all records.
    'example:tidy-spaces': () => (value) => (typeof value === 'string' ? value.trim().replace(/\s+/g, ' ') : value),
  },
  hooks: { afterPlan: holdWhenStaffLeave },
};

export default plugin;

/**
 * Gives each user the list `roles`, from the records `{ id, role }` of the other file. A user without roles passes; roles
 * without a user are counted, and the number is told in the run's log. When a role of a user cannot be read, the record of
 * the user is rejected: the user stays as is, and does not lose the role.
 *
 * @param {readonly ProcessorFile[]} files
 * @param {ProcessorContext} context
 * @returns {AsyncGenerator<ProcessedRecords>}
 */
async function* joinRoles(files, context) {
  const userFile = fileNamed('users', files, context);
  const roles = new Roles(fileNamed('roles', files, context), context);
  const order = new Order('users', context);
  for await (const batch of userFile.records()) {
    /** @type {ReadItem[]} */
    const items = [];
    for (const item of batch) {
      if (item.kind === 'rejected') items.push(item);
      else items.push(withRoles(item, await roles.of(order.next(item))));
    }
    yield { file: userFile.name, items };
    // What nobody can be told the owner of counts as a record that was rejected.
    if (roles.unreadable.length > 0) yield { file: 'roles', items: roles.unreadable.splice(0) };
  }
  await roles.finish();
  if (roles.unreadable.length > 0) yield { file: 'roles', items: roles.unreadable.splice(0) };
  if (roles.withoutUser > 0) {
    const { withoutUser, firstLine } = roles;
    context.warn(
      `Records of roles that belong to no user of the batch: ${withoutUser}, the first on line ${firstLine}.`,
    );
  }
}

/**
 * @param {ReadRecord} item
 * @param {{ roles: readonly string[], unreadableLine: number | undefined }} found
 * @returns {ReadItem}
 */
function withRoles({ position, value }, { roles, unreadableLine }) {
  if (unreadableLine === undefined) return { kind: 'record', position, value: { ...value, roles } };
  const message = `A role of this user cannot be read: see line ${unreadableLine} of the file of roles.`;
  return { kind: 'rejected', position, value, error: { code: 'rejected-by-plugin', message } };
}

/** The file of roles, read only as far as the users have come. */
class Roles {
  withoutUser = 0;
  firstLine = 0;
  /** @type {ReadItem[]} */
  unreadable = [];
  #id = '';
  /** @type {{ roles: string[], unreadableLine: number | undefined }} */
  #found = { roles: [], unreadableLine: undefined };
  /** @type {AsyncGenerator<ReadItem>} */
  #items;
  #order;
  /** @type {{ item: ReadItem, id: string } | undefined} */
  #next;
  #started = false;

  /**
   * @param {ProcessorFile} file
   * @param {ProcessorContext} context
   */
  constructor(file, context) {
    this.#items = itemsOf(file);
    this.#order = new Order('roles', context);
  }

  /**
   * The roles of one user; to be asked for in the order of the ids.
   *
   * @param {string} id
   */
  async of(id) {
    // A user who is there twice has the same roles twice.
    if (this.#started && id === this.#id) return this.#found;
    await this.#start();
    while (this.#next !== undefined && compare(this.#next.id, id) < 0) await this.#skip(this.#next.item);
    this.#id = id;
    this.#found = { roles: [], unreadableLine: undefined };
    while (this.#next !== undefined && this.#next.id === id) {
      const { item } = this.#next;
      if (item.kind === 'rejected') this.#found.unreadableLine ??= item.position.line;
      else this.#found.roles.push(String(item.value['role'] ?? ''));
      await this.#advance();
    }
    return this.#found;
  }

  /** Reads on to the end: what is left belongs to nobody. */
  async finish() {
    await this.#start();
    while (this.#next !== undefined) await this.#skip(this.#next.item);
  }

  async #start() {
    if (!this.#started) await this.#advance();
    this.#started = true;
  }

  /** @param {ReadItem} item */
  async #skip(item) {
    if (this.withoutUser === 0) this.firstLine = item.position.line;
    this.withoutUser += 1;
    await this.#advance();
  }

  async #advance() {
    for (;;) {
      const { done, value: item } = await this.#items.next();
      if (done === true) {
        this.#next = undefined;
        return;
      }
      if (item.kind === 'record' || item.value?.['id'] !== undefined) {
        this.#next = { item, id: this.#order.next(item) };
        return;
      }
      const { position, error } = item;
      this.unreadable.push({ kind: 'rejected', position, error });
    }
  }
}

/** Sees to it that the ids of one file come in order: else the join would miss some. */
class Order {
  #last = '';
  #file;
  #context;

  /**
   * @param {string} file
   * @param {ProcessorContext} context
   */
  constructor(file, context) {
    this.#file = file;
    this.#context = context;
  }

  /**
   * @param {ReadItem} item
   * @returns {string} its id
   */
  next({ value, position }) {
    const id = String(value?.['id'] ?? '');
    if (compare(id, this.#last) < 0) {
      this.#context.fail(
        `the file ${this.#file} is not sorted by id: line ${position.line} belongs before the record above it. ` +
          'Sort both files bytewise, in SQL with ORDER BY id COLLATE "C".',
      );
    }
    this.#last = id;
    return id;
  }
}

/**
 * As the bytes of UTF-8 compare. JavaScript's own order differs from it where halves of surrogate pairs are concerned.
 *
 * @param {string} one
 * @param {string} other
 */
function compare(one, other) {
  if (one === other) return 0;
  if (/[\ud800-\udfff]/.test(one + other)) return Buffer.compare(Buffer.from(one), Buffer.from(other));
  return one < other ? -1 : 1;
}

/**
 * @param {ProcessorFile} file
 * @returns {AsyncGenerator<ReadItem>}
 */
async function* itemsOf(file) {
  for await (const batch of file.records()) yield* batch;
}

/**
 * @param {string} name
 * @param {readonly ProcessorFile[]} files
 * @param {ProcessorContext} context
 */
function fileNamed(name, files, context) {
  const file = files.find((one) => one.name === name);
  return file ?? context.fail(`the control file must list a file named ${name}.`);
}

const MOST_LEAVING_STAFF = 20;

/**
 * Holds a run that takes more people than usual out of the staff. Only what differs is in a change, so groups are there
 * when they change.
 *
 * @param {HookContext} context
 */
async function holdWhenStaffLeave(context) {
  let leaving = 0;
  for await (const changes of context.changes('update')) {
    leaving += changes.filter(
      ({ before, after }) => isStaff(before) && after.user?.['groups'] && !isStaff(after),
    ).length;
  }
  if (leaving > MOST_LEAVING_STAFF)
    return { hold: `${leaving} people would leave the staff, limit ${MOST_LEAVING_STAFF}` };
  return undefined;
}

/** @param {ChangeState | null} state */
function isStaff(state) {
  const groups = state?.user?.['groups'];
  return Array.isArray(groups) && groups.includes('example:group:staff');
}
