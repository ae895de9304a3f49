import { z } from 'zod';
import { httpUrl } from './addresses.js';
import { guardsSchema } from './guard-schema.js';
import { weekdaysSchema } from './weekdays.js';

const HOURS = 24 * 60 * 60 * 1000;

const path = z.string().min(1);

const leavers = z.strictObject({
  graceRuns: z
    .int()
    .min(0)
    .default(0)
    .describe('Block a user only after being absent from this many further runs in a row. 0 blocks in the first run.'),
  graceDays: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'Block a user only after being absent for this many days. With graceRuns also given, both must have passed.',
    ),
});

const expect = z.strictObject({
  by: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time of day as HH:MM, such as "06:30"' })
    .optional()
    .meta({
      description:
        'Raise an alarm when no batch has been applied by this time of day. A batch counts that came on the same day, or in the 12 hours before. No alarm without it.',
      examples: ['06:30'],
    }),
  days: weekdaysSchema
    .prefault('mon-sun')
    .describe('The days on which a batch is expected: days or ranges of days, such as mon-fri or mon,wed,sat-sun.'),
  timeZone: z
    .string()
    .refine(isTimeZone, { error: 'must be a time zone of the IANA database, such as Europe/London or UTC' })
    .default('UTC')
    .describe('The time zone in which "by" and "days" are meant, such as Europe/London.'),
});

const webhook = z
  .strictObject({
    url: httpUrl.optional().meta({
      description: 'Where to POST a JSON report of each run.',
      examples: ['https://ops.example.org/hooks/user-sync'],
    }),
    secret: z
      .string()
      .min(16, { error: 'must be at least 16 characters long' })
      .optional()
      .meta({
        description: 'Key of the HMAC-SHA256 signature sent with each report; at least 16 characters.',
        examples: ['${WEBHOOK_SECRET}'],
      }),
  })
  .refine((given) => (given.url === undefined) === (given.secret === undefined), {
    error: 'needs both url and secret: reports are always signed',
  });

const report = z.strictObject({
  email: z
    .array(z.email({ error: 'must be an e-mail address' }))
    .default([])
    .describe(
      'Addresses that are mailed when a run is complete, held or failed, or a batch is missing. Needs mail.smtpUrl.',
    ),
  webhook: webhook
    .prefault({})
    .describe('A signed HTTP call on the same occasions; docs/notifications.md says how to verify it.'),
  ping: httpUrl.optional().meta({
    description: 'A URL fetched after each run that is complete, for a dead-man service. Dry runs do not count.',
    examples: ['https://hc-ping.example.org/0123'],
  }),
});

const retention = z.strictObject({
  runs: z
    .int()
    .min(1)
    .default(30)
    .describe(
      'Keep the batch files of at least this many runs of the feed. Those of runs that wait and of the last applied batch stay in any case.',
    ),
  days: z.int().min(0).default(90).describe('Keep batch files for at least this many days.'),
});

/** One line of batches: its drop directory, control file, guards and timing. */
export const feedSchema = z.strictObject({
  dropDirectory: path.optional().meta({
    description: 'Where the source system drops its files. Without it: drop/NAME-OF-THE-FEED in dataDir.',
    examples: ['/srv/sftp/hr/upload'],
  }),
  control: path.optional().meta({
    description: 'The control file for the feed, taken when it has none yet; later ones arrive as _control.json.',
    examples: ['./control.json'],
  }),
  autoApply: z
    .boolean()
    .default(true)
    .describe(
      'Apply a plan at once when no guard is breached. With false every run is held until an operator approves it.',
    ),
  start: z
    .enum(['when-ready', 'on-signal'])
    .default('when-ready')
    .describe(
      'when-ready: start once all files of the batch are there. on-signal: wait for a file named _start or a start request.',
    ),
  force: z
    .boolean()
    .default(false)
    .describe(
      'Look at every user in each run, also those whose record is the same as last time: for a while, after the directory was changed by other means.',
    ),
  settleMs: z
    .int()
    .min(0)
    .max(HOURS)
    .default(5000)
    .describe('A dropped file counts as complete when it has not changed for this many milliseconds.'),
  scanIntervalMs: z
    .int()
    .min(100)
    .max(HOURS)
    .default(10000)
    .describe('Look through the drop directory this often, in milliseconds, whatever the file watcher reports.'),
  guards: guardsSchema
    .prefault('on')
    .describe(
      'What holds a run for an operator before its first write: on, off (except "empty"), or guard by guard; a guard not named is on. One with a limit holds beyond "share" of the whole (or a fall by "points", percentage points), but never below "count" or "bytes".',
    ),
  chunkSize: z
    .int()
    .min(1)
    .max(100_000)
    .default(5000)
    .describe('Users written in one transaction while a plan is applied.'),
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe(
      'Chunks applied at the same time, each on its own database connection; all feeds together have database.poolSize less two.',
    ),
  leavers: leavers.prefault({}).describe('How long a user may be absent from the feed before being blocked.'),
  expect: expect.prefault({}).describe('When a batch should have arrived.'),
  report: report.prefault({}).describe('Who is told about runs.'),
  retention: retention
    .prefault({})
    .describe('How long batch files are kept; a file goes when both limits have passed.'),
});

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
