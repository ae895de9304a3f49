import { expect } from 'chai';
import { PassThrough, Writable } from 'node:stream';
import { UserSyncError } from '../../../src/lib/errors.js';
import { createLogger, memoryLogger, nullLogger, type Logger, type LoggerOptions } from '../../../src/lib/logger.js';

const NOON = new Date('2026-11-22T12:00:00.123Z');

/** What is written while `use` logs. */
async function written(
  options: LoggerOptions & { tty?: boolean; colours?: boolean },
  use: (log: Logger) => void,
): Promise<string> {
  const { tty, colours, ...rest } = options;
  const stream = Object.assign(new PassThrough(), { isTTY: tty, hasColors: () => colours });
  const log = createLogger({ stream, now: () => NOON, ...rest });
  use(log);
  await log.close();
  return String(stream.read() ?? '');
}

async function writtenJson(fields: Record<string, unknown>, message = 'x'): Promise<Record<string, unknown>> {
  const text = await written({ format: 'json' }, (log) => log.error(message, fields));
  return JSON.parse(text) as Record<string, unknown>;
}

/** An error as `pg` makes it. */
function postgresError(message: string, code: string): Error {
  return Object.assign(new Error(message), {
    name: 'error',
    severity: 'ERROR',
    code,
    detail: 'Key (email)=(sesame@example.org) already exists.',
    hint: 'sesame',
    where: 'COPY stage_1, line 7: "sesame"',
    internalQuery: "select 'sesame'",
    query: "select 'sesame'",
    parameters: ['sesame'],
    schema: 'directory',
    table: 'account',
    constraint: 'account_email_key',
  });
}

describe('createLogger', () => {
  it('writes one JSON object a line, in UTC, with the fields of its children', async () => {
    const text = await written({ format: 'json' }, (log) => {
      const run = log.child({ run: 7, feed: 'hr' });
      run.info('planned', { added: 3 });
      run.child({ stage: 'apply' }).warn('slow', { feed: 'other' });
    });
    expect(text).to.equal(
      '{"timestamp":"2026-11-22T12:00:00.123Z","level":"info","message":"planned","run":7,"feed":"hr","added":3}\n' +
        '{"timestamp":"2026-11-22T12:00:00.123Z","level":"warn","message":"slow","run":7,"feed":"other","stage":"apply"}\n',
    );
  });

  it('writes text for people, with run, feed and stage in front', async () => {
    const text = await written({ format: 'text' }, (log) => {
      log.child({ run: 7, feed: 'hr', stage: 'apply' }).info('applied a chunk', { users: 5000, file: 'a b', ok: true });
      log.error('no', {
        error: new UserSyncError('lost', 'Connecting', { cause: new UserSyncError('refused', 'no route') }),
      });
    });
    expect(text).to.equal(
      '2026-11-22T12:00:00.123Z info  [run 7 hr apply] applied a chunk users=5000 file="a b" ok=true\n' +
        '2026-11-22T12:00:00.123Z error no error="Connecting (lost) ← no route (refused)"\n',
    );
  });

  it('chooses text for a terminal and JSON otherwise, and colour only where the terminal has it', async () => {
    const use = (log: Logger): void => log.info('x');
    expect(await written({}, use)).to.match(/^\{/);
    expect(await written({ format: 'auto', tty: true, colours: false }, use)).to.match(/^2026-.* x\n$/);
    expect(await written({ tty: true, colours: true }, use)).to.include('\u001b[32minfo ');
    expect(await written({ format: 'text', tty: false, colours: true }, use)).not.to.include('\u001b');
    expect(await written({ format: 'json', tty: true, colours: true }, use)).not.to.include('\u001b');
  });

  it('leaves out what is below its level', async () => {
    const all = (log: Logger): void => {
      for (const level of ['error', 'warn', 'info', 'debug'] as const) log[level](level);
    };
    const levels = async (level?: LoggerOptions['level']) =>
      (await written({ format: 'text', ...(level && { level }) }, all))
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[1]);
    expect(await levels()).to.deep.equal(['error', 'warn', 'info']);
    expect(await levels('debug')).to.have.length(4);
    expect(await levels('error')).to.deep.equal(['error']);
  });

  it('keeps a field named like a part of the line apart from it', async () => {
    const line = await writtenJson({ message: 'other', level: 'fine', timestamp: 0 }, 'the message');
    expect(line).to.include({
      message: 'the message',
      level: 'error',
      message_: 'other',
      level_: 'fine',
      timestamp_: 0,
    });
  });

  it('escapes what could forge a line or drive a terminal', async () => {
    const evil = 'a\r\n2026 info forged\u001b[31m\u009b2J\u0007\u202egnp.exe\u2028';
    const text = await written({ format: 'text', tty: true, colours: false }, (log) => {
      log.child({ feed: evil }).info(evil, { [evil]: evil, list: [evil], error: new Error(evil) });
    });
    // eslint-disable-next-line no-control-regex
    expect(text.replaceAll('\n', '')).not.to.match(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
    expect(text.split('\n').filter((line) => !line.startsWith('    at '))).to.have.length(2);
    expect(text).to.include('forged\\u001b[31m\\u009b2J');
    const json = await written({ format: 'json' }, (log) => log.info(evil));
    expect(json.trim().split('\n')).to.have.length(1);
    expect(json).not.to.include('\u009b');
    expect((JSON.parse(json) as { message: string }).message).to.equal(evil);
  });

  it('never writes the parts of database errors that quote rows', async () => {
    const errors = [
      postgresError('duplicate key value violates unique constraint "account_email_key"', '23505'),
      postgresError('invalid input syntax for type integer: "sesame"', '22P02'),
      postgresError('date/time field value out of range: "sesame\nsesame"', '22008'),
      postgresError('"sesame" is out of range for type real', '22003'),
      postgresError('"sesame" was raised', 'P0001'),
    ];
    for (const error of errors) {
      const wrapped = new UserSyncError('database', 'Applying a chunk', { cause: error });
      for (const format of ['json', 'text'] as const) {
        const text = await written({ format }, (log) =>
          log.error('failed', { error, wrapped, all: new AggregateError([error]) }),
        );
        expect(text, error.message).not.to.include('sesame');
        expect(text).to.include((error as Error & { code: string }).code);
      }
    }
    const { error } = await writtenJson({ error: errors[0] });
    expect(error).to.deep.include({
      message: 'duplicate key value violates unique constraint "account_email_key"',
      code: '23505',
      context: { schema: 'directory', table: 'account', constraint: 'account_email_key' },
    });
  });

  it('never writes the text that JSON.parse quotes', async () => {
    for (const text of [
      '{"a":sesame',
      'sesame',
      '{"secret": "sesame" x}',
      '[1,2,3,sesame,5,6,7,8,9,10,11,12,13,14,15]',
    ]) {
      let error: unknown;
      try {
        JSON.parse(text);
      } catch (caught) {
        error = caught;
      }
      expect(JSON.stringify(await writtenJson({ error })), text).not.to.include('sesame');
    }
  });

  it('tells the code, the context and the causes of an error, and where an unforeseen one was thrown', async () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
    const { error, plain } = (await writtenJson({
      error: new UserSyncError('database-away', 'Opening', { context: { attempt: 3 }, cause }),
      plain: new TypeError('no'),
    })) as Record<string, Record<string, unknown>>;
    expect(error).to.include({ name: 'UserSyncError', code: 'database-away', message: 'Opening' });
    expect(error).not.to.have.property('stack');
    expect(error?.['context']).to.deep.equal({ attempt: 3 });
    expect(error?.['cause']).to.deep.include({ code: 'ECONNREFUSED', context: { syscall: 'connect' } });
    expect((plain?.['stack'] as string[])[0]).to.match(/^at .*logger\.test/);
    expect((await writtenJson({ error: 'text' }))['error']).to.equal('text');
  });

  it('masks secrets by the name of their field and passwords in URLs', async () => {
    const text = await written({ format: 'json' }, (log) =>
      log.info('connecting to postgres://u:sesame@h/d', {
        password: 'sesame',
        smtpPassword: 'sesame',
        nested: { apiKey: 'sesame', Authorization: 'sesame', session_token: 'sesame' },
        url: new URL('postgres://u:sesame@h/d'),
        error: new Error('cannot reach smtp://u:sesame@h'),
        long: `${'x'.repeat(8180)}://u:sesame@h`,
        tokens: 3,
      }),
    );
    expect(text).not.to.include('sesame');
    expect(text).to.include('postgres://u:***@h/d').and.to.include('"tokens":3');
  });

  it('bounds what a line may hold and takes any kind of value', async () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    const line = await writtenJson({
      loop,
      many: Array.from({ length: 1000 }, () => 1),
      long: 'x'.repeat(100_000),
      big: 10n,
      bytes: new Uint8Array(5),
      when: NOON,
      never: new Date(Number.NaN),
      map: new Map([['a', 1]]),
      set: new Set(['b']),
      fn: () => 1,
      none: undefined,
      nothing: null,
    });
    expect(JSON.stringify(line).length).to.be.lessThan(10_000);
    expect(line).to.deep.include({
      big: '10',
      bytes: '<5 bytes>',
      when: NOON.toISOString(),
      never: 'invalid date',
      nothing: null,
    });
    expect(line).to.deep.include({ map: { a: 1 }, set: ['b'], fn: '<function>' });
    expect(line).not.to.have.property('none');
  });

  it('survives a stream that breaks, and closes twice', async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const log = createLogger({ stream });
    log.info('one');
    log.info('two');
    await Promise.all([log.close(), log.close()]);
    log.info('three');
  });
});

describe('other loggers', () => {
  it('keep their lines for a test, or forget them', () => {
    const log = memoryLogger(() => NOON);
    log.child({ run: 1 }).warn('careful', { error: postgresError('x', '23505') });
    expect(log.entries).to.have.length(1);
    expect(log.entries[0]).to.deep.include({ level: 'warn', message: 'careful', timestamp: NOON.toISOString() });
    expect(log.entries[0]?.fields).to.include({ run: 1 });
    expect(JSON.stringify(log.entries)).not.to.include('sesame');
    nullLogger.child({ run: 1 }).error('nobody hears this');
  });
});
