import type { JsonValue } from '../domain/record.js';
import { pointerTo } from '../model/json-source.js';
import { TITLE_ATTRIBUTE, type Destination, type DestinationName } from '../model/destinations.js';
import { ACTIONS, isAction, type Action } from './actions.js';
import type { Assignment, Conversion, Instruction, Target } from './instruction.js';
import { LoopScope } from './loop-scope.js';
import { parseConversion, warnOfWrongGroups } from './validate-conversion.js';
import { isList, isObject, kindOf, Members, type ValidationContext } from './validation.js';

/** Reads a list of instructions; those with problems are reported and left out. */
export function parseInstructions(
  value: JsonValue | undefined,
  pointer: string,
  context: ValidationContext,
  scope: LoopScope,
): readonly Instruction[] {
  if (value === undefined) return [];
  if (!isList(value)) {
    context.problems.add('wrong-type', pointer, `must be a list of instructions, not ${kindOf(value)}`);
    return [];
  }
  return value.flatMap((element, index) => {
    const at = pointerTo(pointer, index);
    if (isObject(element)) {
      const instruction = new InstructionParser(new Members(element, at, context), context, scope).parse();
      return instruction === undefined ? [] : [instruction];
    }
    context.problems.add('wrong-type', at, `an instruction is an object, not ${kindOf(element)}`);
    return [];
  });
}

class InstructionParser {
  private readonly pointer: string;

  constructor(
    private readonly members: Members,
    private readonly context: ValidationContext,
    private readonly scope: LoopScope,
  ) {
    this.pointer = members.pointer;
  }

  parse(): Instruction | undefined {
    const action = this.action();
    if (action === undefined) return undefined;
    const keys = ACTIONS[action];
    this.members.require(keys.required);
    this.members.warnOfOthers(['action', ...keys.required, ...keys.optional], `\`${action}\``);
    return this.parseAction(action);
  }

  private action(): Action | undefined {
    if (!this.members.has('action')) return 'field';
    const action = this.members.string('action');
    if (action === undefined || isAction(action)) return action;
    this.members.known('unknown-action', 'action', action, Object.keys(ACTIONS), 'action');
    return undefined;
  }

  private parseAction(action: Action): Instruction | undefined {
    const { members, pointer } = this;
    const source = (): string | undefined => members.string('source');
    switch (action) {
      case 'field': {
        const from = source();
        const assignment = this.convertedAssignment();
        return from === undefined || assignment === undefined
          ? undefined
          : { action, pointer, source: from, ...assignment };
      }
      case 'set-value': {
        const value = members.value('value');
        const assignment = this.convertedAssignment();
        return value === undefined || assignment === undefined ? undefined : { action, pointer, value, ...assignment };
      }
      case 'field-structured':
        return this.fieldStructured();
      case 'set-attribute-group':
        return this.setAttributeGroup();
      case 'remove-values': {
        const target = this.target();
        return target === undefined ? undefined : { action, pointer, ...targetOf(target) };
      }
      case 'if-exists': {
        const from = source();
        const branches = this.branches();
        return from === undefined ? undefined : { action, pointer, source: from, ...branches };
      }
      case 'if-value-one-of': {
        const from = source();
        const values = members.list('values');
        const branches = this.branches();
        return from === undefined || values === undefined
          ? undefined
          : { action, pointer, source: from, values, ...branches };
      }
      case 'if-has-value': {
        const target = this.target();
        const branches = this.branches();
        if (target === undefined) return undefined;
        return { action, pointer, ...targetOf(target), ...branches };
      }
      case 'within': {
        const from = source();
        const instructions = this.list('instructions', this.scope);
        return from === undefined ? undefined : { action, pointer, source: from, instructions };
      }
      case 'for-each': {
        const from = source();
        const wrapValues = members.boolean('wrapValues') ?? false;
        const taken = attributeGroupsTakenBy(members.value('instructions'));
        const instructions = this.list('instructions', LoopScope.insideLoop(taken));
        return from === undefined ? undefined : { action, pointer, source: from, wrapValues, instructions };
      }
      case 'new':
        return this.startNew();
      case 'load':
        return this.load();
      case 'assert-destination':
        return this.assertDestination();
      case 'abort-record':
      case 'log-error': {
        const message = members.string('message');
        return message === undefined ? undefined : { action, pointer, message };
      }
    }
  }

  private convertedAssignment(): (Assignment & { conversion: Conversion }) | undefined {
    const target = this.target();
    const assignment = this.assignment(target);
    const conversion = parseConversion(this.members, target?.name, this.context);
    if (target === undefined) return undefined;
    if (target.destination.role === 'user' && target.name.name === 'groups') {
      warnOfWrongGroups(this.members, this.context.model);
    }
    const { dataType, name } = target.name;
    if (dataType === 'person-name' || dataType === 'postal-address') {
      const message = `\`${name}\` is a ${dataType}: collect its parts in \`value:${dataType}\`, then use \`field-structured\``;
      this.members.problem('needs-structured-value', this.members.at('name'), message);
    }
    if (dataType === 'attribute-group') {
      const message = `\`${name}\` is an attribute group: collect it in \`${target.destination.name}:attribute-group:${name}\`, then use \`set-attribute-group\``;
      this.members.problem('needs-structured-value', this.members.at('name'), message);
    }
    return { ...assignment, ...targetOf(target), conversion };
  }

  private fieldStructured(): Instruction | undefined {
    const target = this.target();
    const assignment = this.assignment(target);
    const structured = this.members.string('structured');
    if (structured === undefined || target === undefined) return undefined;
    const collecting = [...this.context.model.destinations.values()].filter((one) => one.role === 'structured');
    const names = collecting.map((one) => one.name);
    if (!this.members.known('unknown-structured-type', 'structured', structured, names, 'structured type')) {
      return undefined;
    }
    const structure = collecting.find((one) => one.name === structured)?.structure;
    if (structure !== target.name.dataType) {
      const message = `\`${structured}\` collects a ${String(structure)}, but \`${target.name.name}\` is of data type \`${target.name.dataType}\``;
      this.members.problem('structured-mismatch', this.members.at('structured'), message);
    }
    this.warnOfOwnName(target, assignment.qualifier);
    return { action: 'field-structured', pointer: this.pointer, structured, ...assignment, ...targetOf(target) };
  }

  private warnOfOwnName({ destination, name }: ParsedTarget, qualifier: string | undefined): void {
    if (destination.role !== 'profile' || name.name !== TITLE_ATTRIBUTE || qualifier !== undefined) return;
    const message = `the name of a profile is built from \`user\`: only values with a \`qualifier\` are kept beside it`;
    this.members.problem('name-set-by-sync', this.pointer, message);
  }

  private setAttributeGroup(): Instruction | undefined {
    const target = this.target();
    const source = this.members.string('source');
    if (source === undefined || target === undefined) return undefined;
    const groups = [...this.context.model.destinations.values()].filter((one) => one.role === 'attribute-group');
    const names = groups.map((one) => one.name);
    if (!this.members.known('unknown-attribute-group', 'source', source, names, 'attribute group')) return undefined;
    const expected = `${target.destination.name}:attribute-group:${target.name.name}`;
    if (source !== expected) {
      const message = `\`${source}\` does not collect values for \`${target.name.name}\` of \`${target.destination.name}\``;
      this.members.problem('structured-mismatch', this.members.at('source'), message);
    }
    return { action: 'set-attribute-group', pointer: this.pointer, source, ...targetOf(target) };
  }

  private branches(): { then: readonly Instruction[]; else: readonly Instruction[] } {
    if (!this.members.has('then') && !this.members.has('else')) {
      this.members.problem('missing-key', this.pointer, 'neither `then` nor `else` is there: nothing would be done');
    }
    const [inThen, inElse] = this.scope.branch();
    const branches = { then: this.list('then', inThen), else: this.list('else', inElse) };
    this.scope.join(inThen, inElse);
    return branches;
  }

  private list(key: string, scope: LoopScope): readonly Instruction[] {
    return parseInstructions(this.members.value(key), this.members.at(key), this.context, scope);
  }

  private target(): ParsedTarget | undefined {
    const destination = this.destination();
    const name = this.members.string('name');
    if (destination === undefined || name === undefined) return undefined;
    if (!this.members.known('unknown-name', 'name', name, destination.names.keys(), 'name')) return undefined;
    const found = destination.names.get(name);
    return found === undefined ? undefined : { destination, name: found };
  }

  private destination(): Destination | undefined {
    const name = this.members.string('destination');
    if (name === undefined) return undefined;
    const { destinations } = this.context.model;
    if (!this.members.known('unknown-destination', 'destination', name, destinations.keys(), 'destination')) {
      return undefined;
    }
    return destinations.get(name);
  }

  private assignment(target: ParsedTarget | undefined): { multivalue: boolean; qualifier?: string } {
    const { members } = this;
    const multivalue = members.boolean('multivalue') ?? false;
    const qualifier = members.string('qualifier');
    if (target !== undefined) {
      if (multivalue && !target.name.multivalue) {
        const message = `\`${target.name.name}\` holds one value: with \`multivalue\` it still keeps the last one only`;
        members.problem('unused-key', members.at('multivalue'), message);
      }
      if (!multivalue && this.scope.overwrites(target.destination)) {
        const message = `inside \`for-each\` every element would overwrite the one before: add "multivalue": true`;
        members.problem('overwrites-in-loop', this.pointer, message);
      }
    }
    if (qualifier === undefined) return { multivalue };
    if (!members.known('unknown-qualifier', 'qualifier', qualifier, this.context.model.qualifierCodes, 'qualifier')) {
      return { multivalue };
    }
    const plain = target?.destination.kind === 'dictionary' || target?.destination.role === 'structured';
    if (plain) {
      const message = `values in \`${target.destination.name}\` have no qualifiers`;
      members.problem('unused-key', members.at('qualifier'), message);
      return { multivalue };
    }
    return { multivalue, qualifier };
  }

  private startNew(): Instruction | undefined {
    const destination = this.dependentDestination('new');
    if (destination === undefined) return undefined;
    this.scope.startsAfresh(destination);
    return { action: 'new', pointer: this.pointer, destination: destination.name };
  }

  private load(): Instruction | undefined {
    const { members, pointer } = this;
    const destination = this.dependentDestination('load');
    const using = members.string('using');
    const pseudo = [...this.context.model.destinations.values()].filter(({ role }) => role === 'load');
    const names = pseudo.map(({ name }) => name);
    const isKnown = using !== undefined && members.known('unknown-destination', 'using', using, names, 'way to load');
    const scope = this.scope.branch()[0];
    const otherwise = members.has('otherwise') ? this.list('otherwise', scope) : undefined;
    if (destination !== undefined) {
      // Whatever is done when nothing is found has to start another object itself.
      if (otherwise === undefined || !scope.overwrites(destination)) this.scope.startsAfresh(destination);
    }
    if (destination === undefined || !isKnown) return undefined;
    const instruction = { action: 'load', pointer, destination: destination.name, using } as const;
    return otherwise === undefined ? instruction : { ...instruction, otherwise };
  }

  private assertDestination(): Instruction | undefined {
    const destination = this.dependentDestination('assert-destination');
    const exists = this.members.boolean('exists');
    if (destination === undefined || exists === undefined) return undefined;
    return { action: 'assert-destination', pointer: this.pointer, destination: destination.name, exists };
  }

  /** The destination of an instruction that is about objects which belong to a user. */
  private dependentDestination(action: 'new' | 'load' | 'assert-destination'): Destination | undefined {
    const { members } = this;
    const name = members.string('destination');
    if (name === undefined) return undefined;
    const { destinations, dependents } = this.context.model;
    const destination = destinations.get(name);
    if (destination === undefined) {
      const names = dependents.map((one) => one.name);
      members.known('unknown-destination', 'destination', name, names, 'dependent destination');
      return undefined;
    }
    if (destination.role === 'dependent') return destination;
    if (action !== 'assert-destination' && (destination.role === 'user' || destination.role === 'profile')) {
      const message = `a user sync makes and finds \`${name}\` by itself: \`${action}\` cannot be used with it`;
      members.problem('not-in-user-sync', members.at('destination'), message);
    } else {
      const message = `\`${action}\` is for objects that belong to a user, and \`${name}\` has none: name one of the model's dependent destinations`;
      members.problem('wrong-destination', members.at('destination'), message);
    }
    return undefined;
  }
}

interface ParsedTarget {
  readonly destination: Destination;
  readonly name: DestinationName;
}

function targetOf({ destination, name }: ParsedTarget): Target {
  return { destination: destination.name, name: name.name };
}

/** Pseudo-destinations that `set-attribute-group` empties in a list, as far as it surely runs. */
function attributeGroupsTakenBy(instructions: JsonValue | undefined): ReadonlySet<string> {
  const own = (one: JsonValue, key: string): JsonValue | undefined =>
    isObject(one) && Object.hasOwn(one, key) ? one[key] : undefined;
  const sources = (isList(instructions) ? instructions : []).map((one) =>
    own(one, 'action') === 'set-attribute-group' ? own(one, 'source') : undefined,
  );
  return new Set(sources.filter((source) => typeof source === 'string'));
}
