import type { JsonValue } from '../domain/record.js';

/**
 * A validated control file: what `validateControlFile` gives and `compileControlFile` takes. Plain data.
 */
export interface ControlFile {
  readonly model: string;
  /** In the file's order, which is the order of reading. */
  readonly files: readonly FileEntry[];
  readonly recordProcessor?: string;
  readonly instructions: readonly Instruction[];
  readonly mapping: ReadonlyMap<string, RefMapping>;
}

/** One file of a batch. */
export interface FileEntry {
  readonly name: string;
  /** Name of the format. */
  readonly read: string;
  /** Checked; those that mean nothing for the format are left out. */
  readonly options: FileOptions;
}

export interface FileOptions {
  readonly singleRecord?: boolean;
  readonly charset?: string;
  readonly separator?: string;
  readonly delimiter?: string;
  /** Options of formats that are not built in. */
  readonly [option: string]: boolean | string | undefined;
}

/** A named table from input values to objects. */
export interface RefMapping {
  readonly using: 'behaviour' | 'title';
  readonly types: readonly string[];
  /** Input value → behaviour code or title. */
  readonly values: ReadonlyMap<string, string>;
}

export type Instruction =
  | FieldInstruction
  | SetValueInstruction
  | FieldStructuredInstruction
  | SetAttributeGroupInstruction
  | RemoveValuesInstruction
  | IfExistsInstruction
  | IfValueOneOfInstruction
  | IfHasValueInstruction
  | WithinInstruction
  | ForEachInstruction
  | NewInstruction
  | LoadInstruction
  | AssertDestinationInstruction
  | AbortRecordInstruction
  | LogErrorInstruction;

interface At {
  /** JSON pointer of the instruction in its file. */
  readonly pointer: string;
}

/** Where a value goes. */
export interface Target {
  readonly destination: string;
  readonly name: string;
}

export interface Assignment extends Target {
  readonly multivalue: boolean;
  readonly qualifier?: string;
}

/** How an input value becomes a value of the name's data type. */
export interface Conversion {
  readonly mapInputValue?: ReadonlyMap<string, JsonValue>;
  /** Wrapped, since null is a default too. */
  readonly mapInputValueDefault?: { readonly value: JsonValue };
  readonly filters: readonly string[];
  readonly dateFormat?: string;
  readonly country?: string;
  readonly trueValue?: string;
  readonly falseValue?: string;
  readonly refMapping?: string;
}

export interface FieldInstruction extends At, Assignment {
  readonly action: 'field';
  readonly source: string;
  readonly conversion: Conversion;
}

export interface SetValueInstruction extends At, Assignment {
  readonly action: 'set-value';
  readonly value: JsonValue;
  readonly conversion: Conversion;
}

export interface FieldStructuredInstruction extends At, Assignment {
  readonly action: 'field-structured';
  readonly structured: string;
}

export interface SetAttributeGroupInstruction extends At, Target {
  readonly action: 'set-attribute-group';
  readonly source: string;
}

export interface RemoveValuesInstruction extends At, Target {
  readonly action: 'remove-values';
}

interface Branches {
  readonly then: readonly Instruction[];
  readonly else: readonly Instruction[];
}

export interface IfExistsInstruction extends At, Branches {
  readonly action: 'if-exists';
  readonly source: string;
}

export interface IfValueOneOfInstruction extends At, Branches {
  readonly action: 'if-value-one-of';
  readonly source: string;
  readonly values: readonly JsonValue[];
}

export interface IfHasValueInstruction extends At, Branches, Target {
  readonly action: 'if-has-value';
}

export interface WithinInstruction extends At {
  readonly action: 'within';
  readonly source: string;
  readonly instructions: readonly Instruction[];
}

export interface ForEachInstruction extends At {
  readonly action: 'for-each';
  readonly source: string;
  readonly wrapValues: boolean;
  readonly instructions: readonly Instruction[];
}

export interface NewInstruction extends At {
  readonly action: 'new';
  /** A dependent destination, as for the two instructions below. */
  readonly destination: string;
}

export interface LoadInstruction extends At {
  readonly action: 'load';
  readonly destination: string;
  /** The pseudo-destination that names the object. */
  readonly using: string;
  /** Absent: a record whose object is not found is rejected. */
  readonly otherwise?: readonly Instruction[];
}

export interface AssertDestinationInstruction extends At {
  readonly action: 'assert-destination';
  readonly destination: string;
  readonly exists: boolean;
}

export interface AbortRecordInstruction extends At {
  readonly action: 'abort-record';
  readonly message: string;
}

export interface LogErrorInstruction extends At {
  readonly action: 'log-error';
  readonly message: string;
}
