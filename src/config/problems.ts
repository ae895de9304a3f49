import type { z } from 'zod';
import type { Problem } from '../lib/errors.js';
import { nearest } from '../lib/nearest.js';
import { knownKeys } from './json-schema.js';
import { pathOf, pointerOf, type Path } from './pointer.js';
import type { ConfigDocument } from './yaml-document.js';

type Issue = z.core.$ZodIssue;

/** An issue with its path from the top of the document. */
export interface PlacedIssue {
  readonly issue: Issue;
  readonly path: Path;
}

/**
 * The issues that matter: where a value may have several forms, those of the form it comes closest to, since the others
 * do not explain anything.
 */
export function placedIssues(issues: readonly Issue[], base: Path = []): PlacedIssue[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...pathOf(issue.path)];
    const closest = issue.code === 'invalid_union' ? closestForm(issue.errors) : undefined;
    return closest === undefined ? [{ issue, path }] : placedIssues(closest, path);
  });
}

/** Says in the operator's words what the schema found wrong, with line and column. Values are never quoted. */
export function problemsOf(issues: readonly Issue[], document: ConfigDocument | undefined): Problem[] {
  return placedIssues(issues).flatMap(({ issue, path }): Problem[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        severity: 'error',
        code: 'config-unknown-key',
        pointer: pointerOf([...path, key]),
        message: unknownKey(key, knownKeys(path)),
        ...document?.placeOfKey([...path, key]),
      }));
    }
    return [
      {
        severity: 'error',
        code: 'config-invalid-value',
        pointer: pointerOf(path),
        message: describe(issue),
        ...(issue.code === 'invalid_key' ? document?.placeOfKey(path) : document?.placeOf(path)),
      },
    ];
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== undefined) return `unknown key; did you mean "${meant}"?`;
  return known.length === 0 ? 'unknown key' : `unknown key; known here are ${known.join(', ')}`;
}

function closestForm(forms: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return forms.find((issues) => issues.length > 0 && issues.every((issue) => !isWrongForm(issue)));
}

function isWrongForm(issue: Issue): boolean {
  return issue.path.length === 0 && ['invalid_type', 'invalid_value', 'invalid_union'].includes(issue.code);
}

function describe(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${nameOfType(issue.expected)}`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'invalid_union':
      return issue.message === 'Invalid input' ? `must be ${formsOf(issue.errors).join(' or ')}` : issue.message;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    case 'too_small':
      return `must be ${boundOf(issue.origin)}at least ${String(issue.minimum)}${unitOf(issue.origin)}`;
    case 'too_big':
      return `must be ${boundOf(issue.origin)}at most ${String(issue.maximum)}${unitOf(issue.origin)}`;
    default:
      return issue.message;
  }
}

function formsOf(forms: readonly (readonly Issue[])[]): string[] {
  const names = forms.flatMap((issues) => issues.flatMap((issue) => nameOfForm(issue)));
  return [...new Set(names)];
}

function nameOfForm(issue: Issue): string[] {
  if (issue.code === 'invalid_type') return issue.expected === 'boolean' ? [] : [nameOfType(issue.expected)];
  if (issue.code === 'invalid_value') return issue.values.map(String);
  return issue.code === 'invalid_union' ? formsOf(issue.errors) : [];
}

function nameOfType(type: string): string {
  const names: Record<string, string> = {
    string: 'text (put it in quotes if it looks like a number)',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    object: 'a section with keys',
    record: 'a section with keys',
    array: 'a list',
  };
  return names[type] ?? type;
}

function boundOf(origin: string): string {
  return origin === 'string' ? 'text of ' : '';
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters' : '';
}
