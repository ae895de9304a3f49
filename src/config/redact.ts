import type { Config, FeedConfig } from './config.js';

const MASK = '***';

/**
 * The configuration as it may be shown: passwords, tokens and keys are masked. Of webhook and ping URLs only the host
 * stays, since whoever knows such a URL can use it.
 */
export function redactConfig(config: Config): Config {
  const feeds = Object.entries(config.feeds).map(([name, feed]) => [name, redactFeed(feed)] as const);
  return {
    ...config,
    database: { ...config.database, url: masked(config.database.url, maskPassword) },
    http: { ...config.http, metricsToken: masked(config.http.metricsToken, maskAll) },
    mail: { ...config.mail, smtpUrl: masked(config.mail.smtpUrl, maskPassword) },
    feeds: Object.assign(Object.create(null), Object.fromEntries(feeds)) as Config['feeds'],
  };
}

function redactFeed(feed: FeedConfig): FeedConfig {
  const { webhook, ping } = feed.report;
  return {
    ...feed,
    report: {
      ...feed.report,
      webhook: { url: masked(webhook.url, maskPath), secret: masked(webhook.secret, maskAll) },
      ping: masked(ping, maskPath),
    },
  };
}

function masked(value: string | undefined, mask: (value: string) => string): string | undefined {
  return value === undefined ? undefined : mask(value);
}

function maskAll(): string {
  return MASK;
}

function maskPassword(text: string): string {
  if (!URL.canParse(text)) return MASK;
  const url = new URL(text);
  if (url.password !== '') url.password = MASK;
  for (const name of [...url.searchParams.keys()]) {
    if (/pass|secret|token/i.test(name)) url.searchParams.set(name, MASK);
  }
  return url.href;
}

function maskPath(text: string): string {
  if (!URL.canParse(text)) return MASK;
  const { protocol, host, pathname, search } = new URL(text);
  return `${protocol}//${host}${pathname === '/' && search === '' ? '' : `/${MASK}`}`;
}
