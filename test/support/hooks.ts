import { startTestServer } from './postgres.js';

/** Loaded by mocha, which calls these once, before the processes that run the tests and after them. */
let stop: (() => Promise<void>) | undefined;

export async function mochaGlobalSetup(): Promise<void> {
  stop = await startTestServer();
}

export async function mochaGlobalTeardown(): Promise<void> {
  await stop?.();
}
