import { styleText } from 'node:util';
import stringWidth from 'fast-string-width';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface TerminalOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Nobody reads the result any more, as in `user-sync runs | head -1`. Ends the command, which is no failure. */
export class ReaderGoneError extends Error {}

/** Where a command's results and its progress go. Colour and progress only on a terminal. */
export class Terminal {
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  readonly #hasColour: boolean;
  #isReaderGone = false;

  constructor(options: TerminalOptions) {
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    // Says no when NO_COLOR is set.
    this.#hasColour = options.stdout.isTTY && options.stdout.hasColors();
    this.#stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      this.#isReaderGone = true;
    });
  }

  /** A line of the command's result. */
  print(line = ''): void {
    this.#stdout.write(`${line}\n`);
  }

  /**
   * A part of a long result; resolves when there is room for more.
   *
   * @throws ReaderGoneError
   */
  async write(text: string): Promise<void> {
    if (this.#isReaderGone) throw new ReaderGoneError();
    if (this.#stdout.write(text)) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        this.#stdout.off('drain', settle).off('close', settle);
        if (this.#isReaderGone) reject(new ReaderGoneError());
        else resolve();
      };
      this.#stdout.on('drain', settle).on('close', settle);
    });
  }

  /** One document, or one line of many. */
  json(value: unknown): void {
    this.#stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** A line that is no result: what is being done, what to do next. */
  note(line: string): void {
    this.#stderr.write(`${line}\n`);
  }

  style(text: string, ...styles: Style[]): string {
    return this.#hasColour
      ? styles.reduce((styled, style) => styleText(style, styled, { validateStream: false }), text)
      : text;
  }

  /** Whether a person reads the results, rather than a program. */
  get isInteractive(): boolean {
    return this.#stdout.isTTY;
  }

  get showsProgress(): boolean {
    return this.#stderr.isTTY;
  }

  /** Replaces the last progress line; without a text it is removed. */
  progress(line?: string): void {
    if (!this.showsProgress) return;
    const width = this.#stderr.columns || 80;
    this.#stderr.write(`\r\u001b[2K${line === undefined ? '' : line.slice(0, width - 1)}`);
  }

  /**
   * Columns that line up, whatever the width of their characters.
   *
   * @param right indexes of columns with numbers
   */
  table(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): void {
    const widths = head.map((title, column) =>
      Math.max(stringWidth(title), ...rows.map((row) => stringWidth(row[column] ?? ''))),
    );
    const line = (cells: readonly string[]): string =>
      cells
        .map((cell, column) => {
          const padding = ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(cell)));
          return right.includes(column) ? padding + cell : cell + padding;
        })
        .join('  ')
        .trimEnd();
    this.print(this.style(line(head), 'dim'));
    for (const row of rows) this.print(line(row));
  }
}
