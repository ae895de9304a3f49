import type { Command } from 'commander';
import { loadLanguage, loadModel, withDatabase } from '../app.js';
import type { Config } from '../config/config.js';
import { messageOf } from '../lib/errors.js';
import { printable } from '../lib/printable.js';
import { loadPlugins } from '../plugins/load-plugins.js';
import { resolvePlugins } from '../plugins/resolve-plugins.js';
import { EXIT, type RegisterCommand } from './command.js';
import { checkDatabase } from './doctor/database.js';
import { checkDirectories } from './doctor/directories.js';
import { bad, good, type Finding } from './doctor/finding.js';
import { checkLimits } from './doctor/limits.js';
import { checkReports } from './doctor/reports.js';

export const registerDoctor: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('doctor')
    .description('check configuration, database, directories, clock, mail and limits; says how to mend')
    .action(async (_options: unknown, command: Command) => {
      const config = await context.loadConfig(command);
      const where = config.file ?? 'defaults only: there is no user-sync.yaml here';
      const logger = context.logger(config);
      // Without it, what is wrong with model or plugins is a finding of its own.
      const language = await loadLanguage(config).then(
        (loaded) => loaded.language,
        () => undefined,
      );
      const findings = [
        good('configuration', where),
        await checkModel(config),
        ...(config.plugins.length > 0 ? [await checkPlugins(config)] : []),
        ...(await checkDirectories(config)),
        ...(await checkLimits()),
        ...(await checkReports(config)),
        ...(await withDatabase(config, logger, (database) => checkDatabase(database, config, language)).catch(
          (error: unknown) => [bad('database', messageOf(error))],
        )),
      ];
      await logger.close();
      if (findings.some((finding) => !finding.ok)) context.exitCode = EXIT.failed;
      if (context.wantsJson(command)) {
        terminal.json({ healthy: findings.every((finding) => finding.ok), findings });
        return;
      }
      const width = Math.max(...findings.map(({ check }) => check.length));
      for (const { check, ok, message } of findings) {
        const mark = ok ? terminal.style('ok  ', 'green') : terminal.style('MEND', 'red');
        terminal.print(`${mark}  ${check.padEnd(width)}  ${printable(message)}`);
      }
    });
};

async function checkModel(config: Config): Promise<Finding> {
  return loadModel(config.model).then(
    (model) => good('model', `${config.model}: ${model.groups.length} groups`),
    (error: unknown) => bad('model', messageOf(error)),
  );
}

async function checkPlugins(config: Config): Promise<Finding> {
  try {
    const { modules } = await loadPlugins(resolvePlugins(config.plugins, config.directory));
    return good('plugins', modules.map(({ name }) => name).join(', '));
  } catch (error) {
    return bad('plugins', messageOf(error));
  }
}
