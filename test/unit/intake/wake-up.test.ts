import { expect } from 'chai';
import { WakeUp } from '../../../src/intake/wake-up.js';

const HOUR_MS = 60 * 60 * 1000;

describe('A pause', () => {
  it('ends after its time', async () => {
    await new WakeUp().sleep(1, new AbortController().signal);
  });

  it('ends at a call, whether it comes within it or before it, and only once', async () => {
    const wakeUp = new WakeUp();
    const controller = new AbortController();
    const asleep = wakeUp.sleep(HOUR_MS, controller.signal);
    wakeUp.call();
    await asleep;
    wakeUp.call();
    wakeUp.call();
    await wakeUp.sleep(HOUR_MS, controller.signal);
    let isAwake = false;
    const third = wakeUp.sleep(HOUR_MS, controller.signal).then(() => {
      isAwake = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAwake).to.equal(false);
    controller.abort();
    await third;
  });

  it('ends at once when it begins after the end', async () => {
    await new WakeUp().sleep(HOUR_MS, AbortSignal.abort());
  });
});
