import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fencesOf } from './docs-markdown.js';

/** What a reader of a page does, one after the other: writes a file, or types a command and sees its output. */
export type Step =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'command'; readonly command: string; readonly output?: string };

/**
 * A fence that names a file after its language is that file. One that begins with `$ ` shows commands with all they print,
 * one of `sh` commands alone. Others only show something.
 */
export function stepsOf(markdown: string): Step[] {
  return fencesOf(markdown).flatMap(({ info, text }): Step[] => {
    const [language, name] = info.split(' ');
    if (name !== undefined) return [{ kind: 'file', name, text }];
    if (language === 'sh') return [{ kind: 'command', command: text.trimEnd() }];
    if (!text.startsWith('$ ')) return [];
    return text.split(/^\$ /m).flatMap((part): Step[] => {
      const [command = '', ...output] = part.split('\n');
      return command === '' ? [] : [{ kind: 'command', command, output: output.join('\n') }];
    });
  });
}

/** Output without what differs each time. */
export function comparable(output: string): string {
  return output
    .replaceAll(/\d+\.\d s\b/g, 'N s')
    .replaceAll(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'DAY TIME')
    .replaceAll(/\S+user-sync-demo-\w+/g, 'FOLDER')
    .replaceAll(/usersync_[\w-]+/g, 'KEY')
    .replaceAll(/[ ]+$/gm, '')
    .trim();
}

/** A shell as somebody has it open: folder, variables and background jobs stay from one command to the next. */
export class Shell implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #commands = 0;

  /** @param environment all there is, `PATH` included */
  constructor(folder: string, environment: NodeJS.ProcessEnv) {
    this.#child = spawn('bash', ['--noprofile', '--norc'], { cwd: folder, env: environment });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stdin.write('exec 2>&1\n');
  }

  /** Everything that the command printed. */
  async run(command: string): Promise<string> {
    this.#commands += 1;
    const end = `--- end of command ${this.#commands} ---`;
    this.#child.stdin.write(`${command}\necho '${end}'\n`);
    const printed: string[] = [];
    for (;;) {
      const next = await this.#lines.next();
      if (next.done === true) throw new Error(`the shell ended during: ${command}`);
      const line = next.value;
      if (line === end) return printed.join('\n');
      // What did not end its last line has the mark behind it.
      if (line.endsWith(end)) return [...printed, line.slice(0, -end.length)].join('\n');
      printed.push(line);
    }
  }

  /** Background jobs are told to end, and have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.stdin.end('kill $(jobs -p) 2>/dev/null; wait\n');
    // A pipe that nobody reads is never closed.
    this.#child.stdout.resume();
    await closed;
  }
}
