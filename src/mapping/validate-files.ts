import { pointerTo } from '../model/json-source.js';
import type { FileEntry } from './instruction.js';
import { isObject, kindOf, Members, type FormatOption, type ValidationContext } from './validation.js';

/** As the upload API takes them; a dropped file is known by its name up to the first dot. */
const FILE_NAME = /^[A-Za-z0-9_-]{1,200}$/;

/** Names of files that tell the sync something rather than hold records. */
const RESERVED_NAMES: readonly string[] = ['_control', '_start'];

export function parseFiles(members: Members, context: ValidationContext): readonly FileEntry[] {
  const files = members.record('files');
  if (files === undefined) return [];
  const names = Object.keys(files);
  if (names.length === 0) members.problem('no-files', '/files', 'name at least one file');
  return names.flatMap((name) => {
    const pointer = pointerTo('/files', name);
    checkName(name, pointer, context);
    const entry = files[name] ?? null;
    if (isObject(entry)) return parseEntry(name, new Members(entry, pointer, context), context);
    const message = `must be an object such as {"read": "json"}, not ${kindOf(entry)}`;
    context.problems.add('wrong-type', pointer, message);
    return [];
  });
}

function checkName(name: string, pointer: string, context: ValidationContext): void {
  if (name === 'DEFAULT') {
    const message = 'a user sync lists every file by name, since the list says when a batch is complete: no `DEFAULT`';
    context.problems.addAtKey('default-file', pointer, message);
  } else if (!FILE_NAME.test(name)) {
    const message = 'the name of a file is made of letters, digits, `_` and `-`, without an extension';
    context.problems.addAtKey('invalid-file-name', pointer, message);
  } else if (RESERVED_NAMES.includes(name)) {
    const message = `\`${name}\` has a meaning of its own: choose another name`;
    context.problems.addAtKey('invalid-file-name', pointer, message);
  }
}

function parseEntry(name: string, members: Members, context: ValidationContext): FileEntry[] {
  members.require(['read']);
  const read = members.string('read');
  if (read === undefined) return [];
  const formats = context.readerFormats;
  const format = formats.find((one) => one.name === read);
  if (format === undefined) {
    const known = formats.map((one) => one.name);
    members.known('unknown-reader', 'read', read, known, 'format');
    return [];
  }
  const optionNames = format.options.map((option) => option.name);
  members.warnOfOthers(['read', ...optionNames], `a file read as \`${read}\``);
  members.require(format.options.filter((option) => option.required === true).map((option) => option.name));
  const options = format.options.flatMap((option) => {
    const value = parseOption(option, members, context);
    return value === undefined ? [] : [[option.name, value] as const];
  });
  return [{ name, read, options: Object.fromEntries(options) }];
}

function parseOption(option: FormatOption, members: Members, context: ValidationContext): boolean | string | undefined {
  if (option.type === 'boolean') return members.boolean(option.name);
  const text = members.string(option.name);
  if (text === undefined) return undefined;
  if (option.type === 'charset') {
    if (context.isKnownCharset(text)) return text;
    const message = `unknown charset \`${text.slice(0, 100)}\`: write for example \`utf-8\`, \`utf-16\` or \`windows-1252\``;
    members.problem('unknown-charset', members.at(option.name), message);
  } else if (/^$|[\r\n]/.test(text) || (option.name === 'delimiter' && text.includes('"'))) {
    const message = `a ${option.name} has at least one character, and no line end${option.name === 'delimiter' ? ' or quote' : ''}`;
    members.problem('invalid-option', members.at(option.name), message);
  } else {
    return text;
  }
  return undefined;
}
