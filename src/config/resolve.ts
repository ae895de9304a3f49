import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Problem } from '../lib/errors.js';
import type { Config, FeedConfig } from './config.js';
import { pointerOf, type Path } from './pointer.js';
import { configSchema, type ParsedConfig, type ParsedFeed } from './schema.js';

export interface Surroundings {
  /** The configuration file, if there is one. */
  readonly file: string | undefined;
  /** What relative paths are relative to. */
  readonly directory: string;
  /** The data model that comes with the program. */
  readonly shippedModel: string;
}

/** Completes a parsed configuration: absolute paths, the feed `default`, nothing that can be changed. */
export function resolveConfig(parsed: ParsedConfig, { file, directory, shippedModel }: Surroundings): Config {
  const absolute = (path: string): string => resolve(directory, path);
  const dataDir = absolute(parsed.dataDir);
  const resolveFeed = (name: string, feed: ParsedFeed): FeedConfig => ({
    ...feed,
    dropDirectory: feed.dropDirectory === undefined ? join(dataDir, 'drop', name) : absolute(feed.dropDirectory),
    control: feed.control === undefined ? undefined : absolute(feed.control),
  });
  const defaults = configSchema.parse({ feeds: { default: {} } }).feeds;
  const feeds = Object.assign(Object.create(null), {
    ...mapValues({ ...defaults, ...parsed.feeds }, resolveFeed),
  }) as Config['feeds'];
  return deepFreeze({
    ...parsed,
    file,
    directory,
    dataDir,
    model: parsed.model === undefined ? shippedModel : absolute(parsed.model),
    plugins: parsed.plugins.map((plugin) => (/^\.{1,2}\/|^\//.test(plugin) ? absolute(plugin) : plugin)),
    feeds,
  });
}

/** What no single value tells: folders of which one would swallow the other, and reports that nothing can send. */
export function crossCheck(config: Config, placeOf: (path: Path) => Partial<Problem>): Problem[] {
  const problems: Problem[] = [];
  const report = (path: Path, message: string): void => {
    problems.push({
      severity: 'error',
      code: 'config-invalid-value',
      pointer: pointerOf(path),
      message,
      ...placeOf(path),
    });
  };
  const taken = new Map<string, string>();
  for (const [name, feed] of Object.entries(config.feeds)) {
    const path = ['feeds', name, 'dropDirectory'];
    const owner = taken.get(feed.dropDirectory);
    if (owner !== undefined)
      report(path, `is the drop directory of the feed "${owner}" as well; each feed needs its own`);
    taken.set(feed.dropDirectory, name);
    if (isWithin(config.dataDir, feed.dropDirectory)) {
      report(path, 'holds dataDir: source systems could reach the file store; drop directories must not contain it');
    }
    if (feed.report.email.length > 0 && config.mail.smtpUrl === undefined) {
      report(['feeds', name, 'report', 'email'], 'cannot be mailed without mail.smtpUrl');
    }
  }
  return problems;
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

function mapValues<V, W>(object: Readonly<Record<string, V>>, change: (key: string, value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(key, value)]));
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
