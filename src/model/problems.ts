/** Everything that can be wrong with a model file: stable code → what it means. All are errors. */
export const MODEL_PROBLEMS = {
  'not-json': 'The file is not JSON; the message says where it stops being so.',
  'too-deep': 'Arrays and objects are nested deeper than any model needs.',
  'duplicate-key': 'An object has the same key twice; only one of the two can be meant.',
  'inexact-number': 'A number is too large to be kept exactly.',
  'unknown-key': 'A key that means nothing here, often a slip.',
  'missing-key': 'A key that this place needs is not there.',
  'invalid-value': 'A value is of the wrong kind or form.',
  'duplicate-code': 'Two entries of a list have the same code.',
  'unknown-code': 'A code is named that the model does not define.',
  'missing-code': 'The model lacks a type or attribute that every user sync needs.',
  'reserved-code': 'The sync keeps this code for itself.',
  'wrong-type': 'A type or data type does not fit where it is used.',
  'parent-cycle': 'A type is among its own ancestors.',
} as const;

export type ModelProblemCode = keyof typeof MODEL_PROBLEMS;
