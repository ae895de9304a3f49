export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substitution {
  readonly text: string;
  /** Whether anything was taken from the environment. */
  readonly changed: boolean;
  /** What is wrong, in words that never quote a value. */
  readonly problems: readonly string[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const CONTENT = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Replaces `${NAME}` by the variable's value and `${NAME:-text}` by its value or, if it is unset or empty, by the text.
 * `$${` stands for `${` itself. A variable without a value and without a text to stand in is a problem, since a missing
 * secret must not become an empty one; a variable that is set to nothing counts as 'not given'.
 */
export function substitute(text: string, environment: Environment): Substitution {
  const problems: string[] = [];
  let changed = false;
  const replaced = text.replace(REFERENCE, (found: string, content: string | undefined, close: string) => {
    if (content === undefined) return '${';
    const [, name, otherwise] = CONTENT.exec(content) ?? [];
    if (name === undefined || close === '') {
      problems.push(
        '${ must be followed by the name of an environment variable and }; write $${ for the characters ${',
      );
      return found;
    }
    changed = true;
    const value = environment[name];
    if (otherwise !== undefined) return value === undefined || value === '' ? otherwise : value;
    if (value === undefined) {
      problems.push(`the environment variable ${name} is not set; set it, or write \${${name}:-} for none`);
      return found;
    }
    return value;
  });
  return { text: replaced, changed, problems };
}
