import type { Command } from 'commander';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserSyncError } from '../lib/errors.js';
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
      await mkdir(target, { recursive: true });
      const source = join(packageRoot(), 'config');
      const written = [
        await writeNew(join(target, 'user-sync.yaml'), await configuration(source)),
        await writeNew(join(target, 'model.json'), await readFile(join(source, 'model.json'), 'utf8')),
        await writeNew(join(target, 'control.json'), await readFile(join(source, 'examples', 'control.json'), 'utf8')),
      ];
      await copyFile(join(source, 'user-sync.schema.json'), join(target, 'user-sync.schema.json'));
      if (context.wantsJson(command)) {
        terminal.json({ written });
        return;
      }
      for (const path of written) terminal.print(`wrote ${path}`);
      terminal.print();
      terminal.print('Next: adapt control.json to your files, then try it without a database:');
      terminal.print(`  cd ${directory}`);
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

/** Never overwrites: what is there is somebody's work. */
async function writeNew(path: string, text: string): Promise<string> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return path;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new UserSyncError('file-exists', `${path} is there already and was left alone. Give another directory.`, {
      kind: 'usage',
    });
  }
}
