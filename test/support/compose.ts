import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { packageRoot } from '../../src/lib/package-root.js';

export interface ComposeService {
  readonly build?: string | { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** The shipped compose.yaml. @throws when it is not well-formed */
export function readCompose(): Compose {
  const document = parseDocument(readFileSync(join(packageRoot(), 'compose.yaml'), 'utf8'));
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw problem;
  return document.toJS() as Compose;
}

const VARIABLE = /\$\{(\w+)(?:(:-|:\?)([^}]*))?\}/g;

/** What a service finds in its environment, `${NAME}`, `${NAME:-}` and `${NAME:?why}` taken from variables. */
export function environmentOf(
  service: ComposeService,
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(service.environment ?? {}).map(([name, text]) => {
      const filled = text.replaceAll(
        VARIABLE,
        (_, variable: string, how: string | undefined, more: string | undefined) => {
          const value = variables[variable];
          if (value === undefined && how !== ':-') throw new Error(`${variable}: ${more ?? 'not set'}`);
          return value ?? more ?? '';
        },
      );
      return [name, filled] as const;
    }),
  );
}
