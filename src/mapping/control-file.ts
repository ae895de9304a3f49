import type { JsonValue } from '../domain/record.js';
import type { Problem } from '../lib/errors.js';
import { parseJsonSource, pointerTo } from '../model/json-source.js';
import { USER_SYNC_MODEL, type Model } from '../model/model.js';
import { BUILT_IN_FILTERS } from './filters.js';
import type { ControlFile } from './instruction.js';
import { LoopScope } from './loop-scope.js';
import { ProblemList } from './problems.js';
import { parseFiles } from './validate-files.js';
import { parseInstructions } from './validate-instruction.js';
import { parseMappings } from './validate-mapping.js';
import { isList, isObject, kindOf, Members, type FormatDescription, type ValidationContext } from './validation.js';

export interface ValidatedControlFile {
  /** Null if and only if there is a problem of severity `error`. */
  readonly control: ControlFile | null;
  /** All of them, in the order of the file. */
  readonly problems: readonly Problem[];
}

export interface ValidationOptions {
  /** Without it any charset name passes, and the reader has the last word. */
  readonly isKnownCharset?: (charset: string) => boolean;
  /** Names of record processors that plugins provide. */
  readonly recordProcessors?: readonly string[];
  /** Names of all filters; the built-in ones unless told. */
  readonly filters?: Iterable<string>;
}

/**
 * Reads a control file and finds every problem in it at once. Takes any text: never throws.
 *
 * @param readerFormats what `read` may name, with the options of each
 */
export function validateControlFile(
  text: string,
  model: Model,
  readerFormats: readonly FormatDescription[],
  options: ValidationOptions = {},
): ValidatedControlFile {
  const source = parseJsonSource(text);
  const problems = new ProblemList(source);
  if (source.value === undefined) return { control: null, problems: problems.sorted() };
  const document = source.value;
  const context: ValidationContext = {
    model,
    problems,
    readerFormats,
    isKnownCharset: options.isKnownCharset ?? (() => true),
    recordProcessors: options.recordProcessors ?? [],
    filters: new Set(options.filters ?? BUILT_IN_FILTERS.keys()),
    mappingNames: mappingNames(document),
    usedMappings: new Set(),
  };
  const control = parseDocument(document, context);
  return { control: problems.hasErrors ? null : control, problems: problems.sorted() };
}

const REQUIRED_KEYS = ['dataImportControlFileVersion', 'model', 'files', 'instructions'] as const;

const OPTIONAL_KEYS = ['recordProcessor', 'mapping'] as const;

function parseDocument(document: JsonValue, context: ValidationContext): ControlFile | null {
  if (!isObject(document)) {
    context.problems.add('wrong-type', '', `a control file is an object, not ${kindOf(document)}`);
    return null;
  }
  const members = new Members(document, '', context);
  members.require(REQUIRED_KEYS);
  members.warnOfOthers([...REQUIRED_KEYS, ...OPTIONAL_KEYS], 'a control file');
  checkVersion(members);
  const model = checkModel(members);
  const files = parseFiles(members, context);
  const recordProcessor = parseRecordProcessor(members, context);
  const mapping = parseMappings(members, context);
  const instructions = parseInstructions(members.value('instructions'), '/instructions', context, LoopScope.outside());
  checkUsername(members);
  for (const name of mapping.keys()) {
    if (context.usedMappings.has(name)) continue;
    context.problems.addAtKey('unused-mapping', pointerTo('/mapping', name), 'no instruction uses this mapping');
  }
  return {
    model: model ?? USER_SYNC_MODEL,
    files,
    instructions,
    mapping,
    ...(recordProcessor === undefined ? {} : { recordProcessor }),
  };
}

function checkVersion(members: Members): void {
  const key = 'dataImportControlFileVersion';
  if (members.has(key) && members.value(key) !== 0) {
    members.problem('unsupported-version', members.at(key), `\`${key}\` must be the number 0`);
  }
}

function checkModel(members: Members): string | undefined {
  const model = members.string('model');
  if (model !== undefined && model !== USER_SYNC_MODEL) {
    members.problem('wrong-model', members.at('model'), `the model of a user sync is \`${USER_SYNC_MODEL}\``);
  }
  return model;
}

function parseRecordProcessor(members: Members, context: ValidationContext): string | undefined {
  const name = members.string('recordProcessor');
  if (name === undefined) return undefined;
  const what = 'record processor';
  members.known('unknown-record-processor', 'recordProcessor', name, context.recordProcessors, what);
  return name;
}

function mappingNames(document: JsonValue): ReadonlySet<string> {
  if (!isObject(document) || !Object.hasOwn(document, 'mapping') || !isObject(document['mapping'])) return new Set();
  return new Set(Object.keys(document['mapping']));
}

/**
 * The rule that makes every record's user known, also when the rest of the record cannot be mapped. Looks at the raw
 * instructions, so that another problem of the instruction is not reported as this one too.
 */
function checkUsername(members: Members): void {
  const instructions = members.value('instructions');
  if (!isList(instructions)) return;
  const unconditional = instructions.filter(
    (one) => isObject(one) && setsUsername(one) && (!Object.hasOwn(one, 'action') || one['action'] === 'field'),
  );
  if (unconditional.length === 0) {
    const message =
      'a user sync needs a `field` instruction for `username` of `user` that is at the top level, so that it always runs';
    members.problem('no-username', members.at('instructions'), message);
  } else if (countUsernames(instructions) > 1) {
    const message = 'the username is set by more than one instruction: the last one that gives a value wins';
    members.problem('username-set-twice', members.at('instructions'), message);
  }
}

function countUsernames(value: JsonValue): number {
  if (isList(value)) return value.reduce<number>((sum, one) => sum + countUsernames(one), 0);
  if (!isObject(value)) return 0;
  const own = setsUsername(value) ? 1 : 0;
  const nested = ['then', 'else', 'instructions', 'otherwise'].filter((key) => Object.hasOwn(value, key));
  return own + nested.reduce((sum, key) => sum + countUsernames(value[key] ?? null), 0);
}

const SETTING_ACTIONS: readonly JsonValue[] = ['field', 'set-value'];

function setsUsername(one: Readonly<Record<string, JsonValue>>): boolean {
  const own = (key: string): JsonValue | undefined => (Object.hasOwn(one, key) ? one[key] : undefined);
  const action = own('action') ?? 'field';
  return own('destination') === 'user' && own('name') === 'username' && SETTING_ACTIONS.includes(action);
}
