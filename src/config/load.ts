import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InvalidFileError, messageOf, UserSyncError, type Problem } from '../lib/errors.js';
import { packageRoot } from '../lib/package-root.js';
import type { Config } from './config.js';
import type { Path } from './pointer.js';
import { placedIssues, problemsOf } from './problems.js';
import { crossCheck, resolveConfig } from './resolve.js';
import { configSchema, type ParsedConfig } from './schema.js';
import type { Environment } from './substitute.js';
import { readYaml, type ConfigDocument } from './yaml-document.js';

export interface LoadOptions {
  /** What `--config` named. */
  readonly file?: string | undefined;
  readonly cwd?: string;
  /** The one place where the program looks at its environment. */
  readonly environment?: Environment;
}

const USUAL_FILE = 'user-sync.yaml';

/**
 * Loads the configuration from the file that `--config` names, else the environment variable USER_SYNC_CONFIG, else
 * `user-sync.yaml` in the working directory, else from nothing but the defaults.
 *
 * @throws {InvalidFileError} `invalid-config`, with every problem of the file at once
 * @throws {UserSyncError} `config-unreadable` when a file that was named cannot be read
 */
export async function loadConfig(options: LoadOptions = {}): Promise<Config> {
  const cwd = resolve(options.cwd ?? process.cwd());
  const environment = options.environment ?? process.env;
  const named = options.file ?? (environment['USER_SYNC_CONFIG'] || undefined);
  const found = await readConfigFile(resolve(cwd, named ?? USUAL_FILE), named !== undefined);

  const document = found === undefined ? undefined : readYaml(found.text, environment);
  const surroundings = {
    file: found?.file,
    directory: found === undefined ? cwd : dirname(found.file),
    shippedModel: join(packageRoot(), 'config', 'model.json'),
  };
  const what = found === undefined ? 'The configuration' : `The configuration ${found.file}`;

  const problems = [...(document?.problems ?? [])];
  const parsed = document?.wellFormed === false ? undefined : parse(document, environment, problems);
  if (parsed === undefined) throw new InvalidFileError('invalid-config', what, inOrder(problems));

  const config = resolveConfig(parsed, surroundings);
  problems.push(
    ...withoutConsequences(
      crossCheck(config, (path) => document?.placeOf(path) ?? {}),
      problems,
    ),
  );
  if (problems.length > 0) throw new InvalidFileError('invalid-config', what, inOrder(problems));
  return config;
}

async function readConfigFile(file: string, wanted: boolean): Promise<{ file: string; text: string } | undefined> {
  try {
    const bytes = await readFile(file);
    return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' && !wanted) return undefined;
    const reason =
      code === 'ENOENT'
        ? 'there is no such file; "user-sync init" writes one'
        : code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
          ? 'it is not UTF-8 text'
          : messageOf(error);
    throw new UserSyncError('config-unreadable', `Reading the configuration ${file}: ${reason}`, {
      kind: 'usage',
      context: { file },
      cause: error,
    });
  }
}

/** The schema's view of the data. Adds to `problems`; undefined when no configuration can be made of it. */
function parse(
  document: ConfigDocument | undefined,
  environment: Environment,
  problems: Problem[],
): ParsedConfig | undefined {
  const data = withDatabaseUrl(document?.data ?? {}, environment);
  let result = configSchema.safeParse(data);
  if (!result.success && document !== undefined) {
    // What comes out of the environment is text; where the schema wants a number or a boolean, it is read as one.
    const retyped = placedIssues(result.error.issues).filter(
      ({ issue, path }) => issue.code === 'invalid_type' && retype(data, path, issue.expected, document),
    );
    if (retyped.length > 0) result = configSchema.safeParse(data);
  }
  if (result.success) return result.data;
  problems.push(
    ...withoutConsequences(problemsOf(result.error.issues, document), problems).map((problem) =>
      problem.pointer === '/database/url' && environment['DATABASE_URL']
        ? { ...withoutPlace(problem), message: `${problem.message} (from the environment variable DATABASE_URL)` }
        : problem,
    ),
  );
  return undefined;
}

/** A value that is missing only because its variable is not set is told once, not again as missing. */
function withoutConsequences(problems: readonly Problem[], causes: readonly Problem[]): Problem[] {
  const unset = causes.filter((cause) => cause.code === 'config-variable').map((cause) => `${cause.pointer}/`);
  return problems.filter(
    ({ code, pointer }) =>
      code !== 'config-invalid-value' || !unset.some((variable) => variable.startsWith(`${pointer}/`)),
  );
}

function withDatabaseUrl(data: unknown, environment: Environment): unknown {
  const url = environment['DATABASE_URL'];
  if (url === undefined || url === '' || !isSection(data)) return data;
  const database = data['database'] ?? {};
  return isSection(database) ? Object.assign(data, { database: Object.assign(database, { url }) }) : data;
}

function withoutPlace({ severity, code, pointer, message }: Problem): Problem {
  return { severity, code, pointer, message };
}

/** Replaces a text that came from the environment by the number or boolean it spells; false when it spells none. */
function retype(data: unknown, path: Path, expected: string, document: ConfigDocument): boolean {
  const steps = path.map(String);
  const key = steps.pop();
  const holder = steps.reduce<unknown>((value, step) => (isSection(value) ? value[step] : undefined), data);
  if (key === undefined || !isSection(holder)) return false;
  const text = holder[key];
  if (typeof text !== 'string' || !document.isSubstituted(path)) return false;
  const spelled =
    expected === 'boolean'
      ? { true: true, false: false }[text]
      : /^-?\d+(\.\d+)?$/.test(text)
        ? Number(text)
        : undefined;
  if (spelled === undefined) return false;
  holder[key] = spelled;
  return true;
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
