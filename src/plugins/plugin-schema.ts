import { z } from 'zod';
import type { Problem } from '../lib/errors.js';
import { pointerTo } from '../model/json-source.js';
import { DATA_TYPES } from '../model/schema.js';
import { problem } from './problem.js';

/** The shape of a plugin's default export, and what is wrong with one that has another shape. */

/** Starts with a letter, as the codes of a model do: names are used as keys of plain objects. */
const name = z
  .string()
  .max(200, 'a name has at most 200 characters')
  .regex(/^[A-Za-z][A-Za-z0-9:._-]*$/, 'a name starts with a letter, then letters, digits and `: . _ -`');

const text = z.string().min(1, 'must not be empty').max(1000, 'has more than 1000 characters');

const callable = z.custom<object>((value) => typeof value === 'function', 'must be a function');

const option = z.strictObject({
  name: name.refine((given) => given !== 'read', '`read` names the format itself: choose another name'),
  type: z.enum(['boolean', 'charset', 'string']),
  required: z.boolean().optional(),
  description: text,
});

const format = z.strictObject({ description: text, options: z.array(option).superRefine(unique), read: callable });

const dictionaryName = z.strictObject({
  name,
  title: text,
  dataType: z.enum(DATA_TYPES).exclude(['person-name', 'postal-address', 'attribute-group', 'ref']),
  required: z.boolean().optional(),
});

/** Names that every model has, or keeps for places of its own making. */
const RESERVED_DESTINATION = /^(?:user|profile|value|load)(?:$|:)|:attribute-group:/;

const destination = z.strictObject({
  kind: z.literal('dictionary'),
  name: name.refine((given) => !RESERVED_DESTINATION.test(given), 'the model keeps this name: choose another one'),
  title: text,
  depends: z.literal('user'),
  optional: z.boolean().optional(),
  names: z.array(dictionaryName).min(1, 'a dictionary has at least one name').superRefine(unique),
});

const hooks = z.strictObject({
  afterPlan: callable.optional(),
  afterApply: callable.optional(),
  onBlock: callable.optional(),
});

const plugin = z.strictObject({
  filters: z.record(name, callable).optional(),
  readers: z.record(name, format).optional(),
  recordProcessors: z.record(name, callable).optional(),
  destinations: z.array(destination).optional(),
  hooks: hooks.optional(),
});

function unique(entries: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  entries.forEach((entry, index) => {
    if (entries.findIndex((other) => other.name === entry.name) === index) return;
    const message = `\`${entry.name}\` is there already: choose another name`;
    context.addIssue({ code: 'custom', path: [index, 'name'], message });
  });
}

/** @returns every problem of its shape; none: it is a `Plugin` */
export function problemsOfShape(candidate: unknown): Problem[] {
  const result = plugin.safeParse(candidate);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => {
    const pointer = issue.path.reduce<string>((parent, key) => pointerTo(parent, String(key)), '');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => problem(pointerTo(pointer, key), `unknown key \`${key}\`, often a slip`));
    }
    if (issue.code === 'invalid_key') return [problem(pointer, issue.issues[0]?.message ?? issue.message)];
    return [problem(pointer, issue.message)];
  });
}
