import type { Command } from 'commander';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserSyncError, messageOf } from '../lib/errors.js';
import { packageRoot } from '../lib/package-root.js';
import type { RegisterCommand } from './command.js';

export const registerInit: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('init')
    .description('write a commented configuration, a model and an example control file')
    .argument('[DIR]', 'where to', '.')
    .action(async (directory: string, _options: unknown, command: Command) => {
      const target = resolve(directory);
      await mkdir(target, { recursive: true }).catch((error: unknown) => {
        throw new UserSyncError('usage', `Making the folder ${target}: ${messageOf(error)}. Give another directory.`, {
          kind: 'usage',
          cause: error,
        });
      });
      const source = join(packageRoot(), 'config');
      const files = new Map([
        ['user-sync.yaml', await configuration(source)],
        ['model.json', await readFile(join(source, 'model.json'), 'utf8')],
        ['control.json', await readFile(join(source, 'examples', 'control.json'), 'utf8')],
        // For editors: the configuration names it in its first line.
        ['user-sync.schema.json', await readFile(join(source, 'user-sync.schema.json'), 'utf8')],
      ]);
      const written = [...files.keys()].map((name) => join(target, name));
      await assertAbsent(written);
      for (const [name, text] of files) await writeFile(join(target, name), text, { flag: 'wx' });
      if (context.wantsJson(command)) {
        terminal.json({ written });
        return;
      }
      for (const path of written) terminal.print(`wrote ${path}`);
      terminal.print();
      terminal.print('Next: adapt control.json to your files, then try it without a database:');
      if (target !== process.cwd()) terminal.print(`  cd ${directory}`);
      terminal.print('  user-sync check control.json');
      terminal.print('  user-sync preview --control control.json users=YOUR-FILE.json --limit 5');
      terminal.print('  user-sync sync --control control.json users=YOUR-FILE.json --dry-run');
    });
};

/** The shipped defaults with the model and the control file next to it. */
async function configuration(source: string): Promise<string> {
  const text = await readFile(join(source, 'default.yaml'), 'utf8');
  return text.replace(/^model:.*$/m, 'model: ./model.json').replace(/^( +)control:.*$/m, '$1control: ./control.json');
}

/**
 * Never overwrites, and writes all or nothing: what is there is somebody's work.
 *
 * @throws UserSyncError `file-exists`
 */
async function assertAbsent(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (!found) continue;
    throw new UserSyncError('file-exists', `${path} is there already; nothing was written. Give another directory.`, {
      kind: 'usage',
    });
  }
}
