import { stopTestServer } from './postgres.js';

/** Loaded by mocha before the tests. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    await stopTestServer();
  },
};
