import { z } from 'zod';
import { httpUrl, postgresUrl, smtpUrl } from './addresses.js';
import { feedSchema } from './feed-schema.js';

/**
 * The one source of the configuration: what is accepted, its defaults, the comments of config/default.yaml and the JSON
 * Schema for editors all come from here. Sections are strict, since a misspelt key would otherwise be a silent default.
 */

const GIB = 1024 ** 3;

const database = z.strictObject({
  url: postgresUrl.optional().meta({
    description:
      'Where Postgres (14 or later) is. The environment variable DATABASE_URL wins over it. Without either, an embedded Postgres under dataDir is used: fine for a trial or a small site.',
    examples: ['postgres://user_sync:${DB_PASSWORD}@db.example.org:5432/users'],
  }),
  poolSize: z
    .int()
    .min(2)
    .max(500)
    .default(10)
    .describe(
      'Most database connections the program opens at the same time. Runs use all but two, which are left to pages and heartbeats.',
    ),
});

const http = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on. 0.0.0.0 is every network interface: put a proxy that speaks TLS in front of it.'),
  port: z.int().min(0).max(65_535).default(8080).describe('Port to listen on. 0 takes any free port.'),
  publicUrl: httpUrl.optional().meta({
    description: 'How people reach the web page, for links in mails. Without it: http://host:port.',
    examples: ['https://sync.example.org'],
  }),
  trustProxy: z
    .boolean()
    .default(false)
    .describe(
      'Believe the X-Forwarded headers. Only when the port can be reached through your proxy and in no other way.',
    ),
  metricsToken: z
    .string()
    .min(16, { error: 'must be at least 16 characters long' })
    .optional()
    .meta({
      description: 'Bearer token that /metrics asks for; at least 16 characters. Open to all without it.',
      examples: ['${METRICS_TOKEN}'],
    }),
});

const log = z.strictObject({
  level: z
    .enum(['error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('The least important level that is written to stderr.'),
  format: z
    .enum(['auto', 'text', 'json'])
    .default('auto')
    .describe('text is for people, json is one object a line. auto: text on a terminal, json otherwise.'),
});

const mail = z
  .strictObject({
    smtpUrl: smtpUrl.optional().meta({
      description:
        'The server that takes mails, with user and password in the URL. smtps is TLS from the start. No mail without it.',
      examples: ['smtp://user-sync:${SMTP_PASSWORD}@mail.example.org:587'],
    }),
    from: z
      .string()
      .regex(/^[^\r\n]*[^\s<]@[^\s>]+>?$/, { error: 'must be an e-mail address, or a name and <address>' })
      .optional()
      .meta({
        description: 'Sender of the mails. Needed when smtpUrl is given.',
        examples: ['User sync <user-sync@example.org>'],
      }),
  })
  .refine((given) => given.smtpUrl === undefined || given.from !== undefined, {
    error: 'needs "from", the sender of the mails, when smtpUrl is given',
    path: ['from'],
  });

const limits = z.strictObject({
  recordBytes: z
    .int()
    .min(1024)
    .max(256 * 1024 ** 2)
    .default(1024 ** 2)
    .describe('Longest record in bytes; a longer one is rejected, its user stays as is.'),
  depth: z.int().min(2).max(1000).default(64).describe('Deepest nesting of a record; a deeper one is rejected.'),
  keys: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(2000)
    .describe('Most names in one record, nested ones included; most columns of a table.'),
  fileBytes: z
    .int()
    .min(1)
    .default(64 * GIB)
    .describe('Largest file in bytes, after decompression. The run of a larger one fails.'),
  gzipRatio: z
    .number()
    .min(1)
    .default(200)
    .describe('A gzip file that grows by more than this factor is taken for a bomb and refused.'),
});

const feedName = z.string().regex(/^[a-z0-9][a-z0-9_-]*$/, {
  error: 'is not a name for a feed: use lower-case letters, digits, - and _, with a letter or digit first',
});

export const configSchema = z.strictObject({
  database: database.prefault({}).describe('The database that holds the directory of users.'),
  dataDir: z
    .string()
    .min(1)
    .default('./var')
    .describe(
      'Folder for the file store, quarantine and the embedded Postgres. Holds personal data: not on shared storage.',
    ),
  leaseSeconds: z
    .int()
    .min(3)
    .max(3600)
    .default(60)
    .describe(
      'How long a process may be silent before another one takes over its feeds and what it left. Less takes over sooner; more bears with slow machines and networks. The same for all processes on one database.',
    ),
  model: z
    .string()
    .min(1)
    .optional()
    .meta({
      description:
        'The data model: types, attributes and groups that control files may name. Without it: the one shipped with the program.',
      examples: ['./model.json'],
    }),
  quarantineDays: z.int().min(1).default(90).describe('Files that were set aside are removed after this many days.'),
  plugins: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Modules with filters, formats, record processors, destinations and hooks of your own (docs/plugins.md): paths starting with . or /, or names of packages. They are trusted: they run with all rights of this program.',
    ),
  http: http.prefault({}).describe('The web page and the interfaces over HTTP.'),
  log: log.prefault({}).describe('What is logged, and how.'),
  mail: mail.prefault({}).describe('How reports are mailed.'),
  limits: limits.prefault({}).describe('Caps that keep one broken or hostile file from taking the program down.'),
  feeds: z
    .record(feedName, feedSchema.prefault({}))
    .prefault({})
    .describe('The feeds by name. A user belongs to the feed that created it. The feed "default" always exists.'),
});

/** The configuration as parsed, before paths are resolved. */
export type ParsedConfig = z.output<typeof configSchema>;
export type ParsedFeed = z.output<typeof feedSchema>;
