import type { ParsedConfig, ParsedFeed } from './schema.js';

/** A whole value that nothing may change: the configuration is shared by everything that runs. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** One feed's part of the configuration, with absolute paths. */
export type FeedConfig = DeepReadonly<Omit<ParsedFeed, 'dropDirectory'>> & { readonly dropDirectory: string };

/** The configuration in force: complete, paths absolute, deeply frozen. */
export type Config = DeepReadonly<Omit<ParsedConfig, 'model' | 'feeds'>> & {
  /** The file it was read from, or undefined when there is none and the defaults hold. */
  readonly file: string | undefined;
  /** What its relative paths were relative to. */
  readonly directory: string;
  readonly model: string;
  /** Without a prototype, so that a feed's name from outside can be looked up as it is. */
  readonly feeds: Readonly<Record<string, FeedConfig>> & { readonly default: FeedConfig };
};
