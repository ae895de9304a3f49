import { expect } from 'chai';
import { within } from '../../../src/lib/within.js';

const LONG_MS = 60_000;
const late = (): Error => new Error('too late');
const forEver = (): Promise<never> => new Promise(() => undefined);

describe('Working within a time', () => {
  it('gives the result of the work, or its error', async () => {
    const signal = new AbortController().signal;
    expect(await within(LONG_MS, signal, late, () => Promise.resolve(1))).to.equal(1);
    const failing = within(LONG_MS, signal, late, () => Promise.reject(new Error('broken')));
    expect(await failing.catch((error: unknown) => error)).to.have.property('message', 'broken');
  });

  it('ends when the time is up, although the work does not heed its signal', async () => {
    let told: AbortSignal | undefined;
    const working = within(1, new AbortController().signal, late, (signal) => {
      told = signal;
      return forEver();
    });
    expect(await working.catch((error: unknown) => error)).to.have.property('message', 'too late');
    expect(told?.aborted).to.equal(true);
  });

  it('ends with the signal, for its reason', async () => {
    const stop = new AbortController();
    const working = within(LONG_MS, stop.signal, late, forEver);
    stop.abort(new Error('stopped'));
    expect(await working.catch((error: unknown) => error)).to.have.property('message', 'stopped');
  });

  it('does not begin when it is stopped already', async () => {
    let begun = false;
    const working = within(LONG_MS, AbortSignal.abort(new Error('stopped')), late, async () => {
      begun = true;
    });
    expect(await working.catch((error: unknown) => error)).to.have.property('message', 'stopped');
    expect(begun).to.equal(false);
  });
});
