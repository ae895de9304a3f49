import { setTimeout as delay } from 'node:timers/promises';

/** A pause that can be cut short. A call that comes while nobody sleeps is kept for the next pause. */
export class WakeUp {
  #called = false;
  #wake: (() => void) | undefined;

  call(): void {
    this.#called = true;
    this.#wake?.();
  }

  /** Resolves after the time, at a call, or when the signal is aborted, whichever is first. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#called && !signal.aborted) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await delay(ms, undefined, { signal: AbortSignal.any([woken.signal, signal]) }).catch(() => undefined);
      this.#wake = undefined;
    }
    this.#called = false;
  }
}
