import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserSyncError } from '../lib/errors.js';

/**
 * The SQL of the phases, by `file/name`: each query stands in sql/sync under a line `-- name: …`. A test holds the names
 * used in the code and those in the files together.
 */
export class Queries {
  readonly #texts: ReadonlyMap<string, string>;

  private constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
  }

  static load(directory: string): Queries {
    const texts = new Map<string, string>();
    for (const file of readdirSync(directory).sort()) {
      if (!file.endsWith('.sql')) continue;
      const parts = readFileSync(join(directory, file), 'utf8').split(/^-- name: *(\S+) *$/m);
      for (let index = 1; index < parts.length; index += 2) {
        texts.set(`${file.slice(0, -'.sql'.length)}/${parts[index] ?? ''}`, (parts[index + 1] ?? '').trim());
      }
    }
    return new Queries(texts);
  }

  get names(): string[] {
    return [...this.#texts.keys()];
  }

  /**
   * The text of a query. `stage` replaces `{{stage}}`, the only part of a statement that is not a parameter: tables
   * cannot be parameters.
   */
  text(name: string, stage?: StageTable): string {
    const text = this.#texts.get(name);
    if (text === undefined) throw new UserSyncError('internal', `There is no query named ${name} in sql/sync.`);
    return stage === undefined ? text : text.replaceAll('{{stage}}', stage);
  }
}

/** The name of a run's staging table, safe to stand in SQL. */
export type StageTable = `sync_stage.stage_${number}`;

export function stageTable(runId: number): StageTable {
  if (!Number.isSafeInteger(runId)) throw new UserSyncError('internal', 'A run id is a whole number.');
  return `sync_stage.stage_${runId}`;
}
