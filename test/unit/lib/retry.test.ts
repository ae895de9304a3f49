import { expect } from 'chai';
import { isCausedByRecord, isRetryable } from '../../../src/db/sqlstate.js';
import { retry } from '../../../src/lib/retry.js';

function postgresError(code: string): Error {
  return Object.assign(new Error('from Postgres'), { code });
}

const QUICK = { attempts: 3, baseMs: 1, maxMs: 2, isRetryable: (error: unknown) => error === 'passing' };

describe('Trying again', () => {
  it('goes on until it succeeds', async () => {
    const answers: (() => string)[] = [fail('passing'), fail('passing'), (): string => 'done'];
    const result = await retry(() => Promise.resolve().then(() => answers.shift()?.()), QUICK);
    expect(result).to.equal('done');
  });

  it('gives up after the last attempt, with the last error', async () => {
    let attempts = 0;
    const work = (): Promise<never> => {
      attempts += 1;
      return Promise.reject(new Error(`number ${attempts}`));
    };
    const error = await retry(work, { ...QUICK, isRetryable: () => true }).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('message', 'number 3');
  });

  it('does not try again what will not pass, nor when stopped', async () => {
    let attempts = 0;
    const work = (): Promise<never> => {
      attempts += 1;
      return Promise.reject(new Error('lasting'));
    };
    await retry(work, QUICK).catch(() => undefined);
    expect(attempts).to.equal(1);
    const signal = AbortSignal.abort();
    await retry(work, { ...QUICK, isRetryable: () => true, signal }).catch(() => undefined);
    expect(attempts).to.equal(2);
  });
});

describe('Errors of the database', () => {
  it('that pass by themselves are told by SQLSTATE or by what the connection says', () => {
    for (const code of ['40001', '40P01', '57P01', '53300', '08006'])
      expect(isRetryable(postgresError(code)), code).to.equal(true);
    for (const message of [
      'Connection terminated unexpectedly',
      'Client has encountered a connection error and is not queryable',
      'Client was closed and is not queryable',
    ])
      expect(isRetryable(new Error(message)), message).to.equal(true);
    expect(isRetryable(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).to.equal(true);
    expect(isRetryable(new Error('wrapped', { cause: postgresError('40001') }))).to.equal(true);
    for (const code of ['23505', '42P01', '22P02', '28P01', '53100'])
      expect(isRetryable(postgresError(code)), code).to.equal(false);
    expect(isRetryable(new Error('anything else'))).to.equal(false);
  });

  it('that one record can cause are those of data, constraints and triggers', () => {
    for (const code of ['22021', '23505', '23514', '54000', 'P0001'])
      expect(isCausedByRecord(postgresError(code)), code).to.equal(true);
    for (const code of ['40001', '42P01', '53100', '57014'])
      expect(isCausedByRecord(postgresError(code)), code).to.equal(false);
  });
});

function fail(reason: unknown): () => never {
  return () => {
    throw reason;
  };
}
