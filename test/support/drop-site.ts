import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DropDirectory, type DropDirectoryOptions } from '../../src/intake/drop-directory.js';
import type { Answer, DropHandler, DroppedFile, IntakeWarning, StartSignal } from '../../src/intake/drop-handler.js';
import { FileStore } from '../../src/intake/file-store.js';
import type { QuarantineRecord } from '../../src/intake/quarantine-record.js';
import { Quarantine } from '../../src/intake/quarantine.js';
import { memoryLogger } from '../../src/lib/logger.js';
import { temporaryFolder } from './temporary-folder.js';

export const SETTLE_MS = 5000;

/** Writes down what it is told, and answers what it is set to. */
export class RecordingHandler implements DropHandler {
  readonly files: DroppedFile[] = [];
  readonly controls: DroppedFile[] = [];
  readonly starts: StartSignal[] = [];
  readonly quarantined: QuarantineRecord[] = [];
  readonly warnings: IntakeWarning[] = [];
  /** Everything in the order in which it was told. */
  readonly told: string[] = [];
  answer: (file: DroppedFile) => Answer | Promise<Answer> = () => ({ kind: 'taken' });

  async onFile(file: DroppedFile): Promise<Answer> {
    this.files.push(file);
    this.told.push(`file ${file.name}`);
    return this.answer(file);
  }

  async onControl(file: DroppedFile): Promise<Answer> {
    this.controls.push(file);
    this.told.push('control');
    return this.answer(file);
  }

  async onStart(signal: StartSignal): Promise<Answer> {
    this.starts.push(signal);
    this.told.push('start');
    return { kind: 'taken' };
  }

  async onQuarantined(record: QuarantineRecord): Promise<void> {
    this.quarantined.push(record);
    this.told.push(`quarantined ${record.reason}`);
  }

  async onWarning(warning: IntakeWarning): Promise<void> {
    this.warnings.push(warning);
    this.told.push(`warning ${warning.code}`);
  }
}

/** A drop directory with a store and a quarantine, and clocks that stand still until told. */
export class DropSite implements AsyncDisposable {
  readonly handler = new RecordingHandler();
  readonly logger = memoryLogger();
  readonly drop: string;
  readonly store: FileStore;
  readonly quarantine: Quarantine;
  readonly directory: DropDirectory;
  readonly #folder: AsyncDisposable & { readonly path: string };
  #monotonicMs = 1000;
  #nowMs = Date.now();

  private constructor(
    folder: AsyncDisposable & { readonly path: string },
    options: Partial<DropDirectoryOptions>,
    quarantinePath = join(folder.path, 'quarantine'),
  ) {
    this.#folder = folder;
    this.drop = options.path ?? join(folder.path, 'drop');
    this.store = options.store ?? new FileStore(join(folder.path, 'store'));
    this.quarantine = new Quarantine(quarantinePath, { now: () => new Date(this.#nowMs), newId: () => randomUUID() });
    this.directory = new DropDirectory({
      feed: 'default',
      path: this.drop,
      settleMs: SETTLE_MS,
      scanIntervalMs: 10_000,
      maxBytes: 1024 * 1024,
      store: this.store,
      quarantine: this.quarantine,
      handler: this.handler,
      logger: this.logger,
      monotonicMs: () => this.#monotonicMs,
      now: () => new Date(this.#nowMs),
      newId: () => randomUUID(),
      ...options,
    });
  }

  static async open(options: Partial<DropDirectoryOptions> & { quarantinePath?: string } = {}): Promise<DropSite> {
    const folder = await temporaryFolder();
    const { quarantinePath, ...others } = options;
    const site = new DropSite(folder, others, quarantinePath);
    await mkdir(site.drop, { recursive: true });
    return site;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.directory.stop();
    await this.#folder[Symbol.asyncDispose]();
  }

  /** Lets time pass. */
  wait(ms: number): void {
    this.#monotonicMs += ms;
    this.#nowMs += ms;
  }

  /** Somebody sets the clock of the machine. */
  setClock(byMs: number): void {
    this.#nowMs += byMs;
  }

  async scan(): Promise<void> {
    await this.directory.runOnce();
  }

  /** A look, the quiet period, another look. */
  async settle(): Promise<void> {
    await this.scan();
    this.wait(SETTLE_MS);
    await this.scan();
  }

  async put(name: string | Buffer, content: string | Uint8Array): Promise<void> {
    await writeFile(this.pathOf(name), content);
  }

  pathOf(name: string): string;
  pathOf(name: string | Buffer): string | Buffer;
  pathOf(name: string | Buffer): string | Buffer {
    return typeof name === 'string' ? join(this.drop, name) : Buffer.concat([Buffer.from(`${this.drop}/`), name]);
  }

  /** Names in the drop directory. */
  async left(): Promise<string[]> {
    return (await readdir(this.drop)).sort();
  }

  async stored(digest: string): Promise<string> {
    return readFile(this.store.pathOf(digest), 'utf8');
  }

  /** Contents of the files told of, in order. */
  async taken(): Promise<string[]> {
    return Promise.all(this.handler.files.map((file) => this.stored(file.digest)));
  }

  get reasons(): string[] {
    return this.handler.quarantined.map((record) => record.reason).sort();
  }

  get warningCodes(): string[] {
    return this.handler.warnings.map((warning) => warning.code);
  }
}
