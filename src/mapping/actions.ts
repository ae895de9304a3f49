/** The instructions of the language and the keys each takes: the table of the language's reference, as data. */
export interface ActionKeys {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** Keys that say how an input value is converted; each means something for some data types only. */
export const CONVERSION_KEYS = [
  'mapInputValue',
  'mapInputValueDefault',
  'filters',
  'dateFormat',
  'country',
  'trueValue',
  'falseValue',
  'refMapping',
] as const;

const ASSIGNMENT_KEYS = ['multivalue', 'qualifier'] as const;

export const ACTIONS = {
  field: {
    required: ['source', 'destination', 'name'],
    optional: [...ASSIGNMENT_KEYS, ...CONVERSION_KEYS],
  },
  'set-value': {
    required: ['value', 'destination', 'name'],
    optional: [...ASSIGNMENT_KEYS, ...CONVERSION_KEYS],
  },
  'field-structured': { required: ['structured', 'destination', 'name'], optional: ASSIGNMENT_KEYS },
  'set-attribute-group': { required: ['source', 'destination', 'name'], optional: [] },
  'remove-values': { required: ['destination', 'name'], optional: [] },
  'if-exists': { required: ['source'], optional: ['then', 'else'] },
  'if-value-one-of': { required: ['source', 'values'], optional: ['then', 'else'] },
  'if-has-value': { required: ['destination', 'name'], optional: ['then', 'else'] },
  within: { required: ['source', 'instructions'], optional: [] },
  'for-each': { required: ['source', 'instructions'], optional: ['wrapValues'] },
  new: { required: ['destination'], optional: [] },
  load: { required: ['destination', 'using'], optional: ['otherwise'] },
  'assert-destination': { required: ['destination', 'exists'], optional: [] },
  'abort-record': { required: ['message'], optional: [] },
  'log-error': { required: ['message'], optional: [] },
} as const satisfies Record<string, ActionKeys>;

export type Action = keyof typeof ACTIONS;

export function isAction(text: string): text is Action {
  return Object.hasOwn(ACTIONS, text);
}
