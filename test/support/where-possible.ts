import { expect } from 'chai';

/**
 * Tests that need what not every machine has: left out where something is missing, which is said, unless
 * USER_SYNC_REQUIRE_ALL says that nothing may be.
 *
 * @param missing what is missing here; undefined when all is there
 */
export function describeWherePossible(
  missing: string | undefined,
  title: string,
  define: (this: Mocha.Suite) => void,
): void {
  if (missing === undefined) describe(title, define);
  else if (process.env['USER_SYNC_REQUIRE_ALL'] !== undefined) {
    describe(title, () => {
      it('is tested', () => expect.fail(`cannot be tested here: ${missing}`));
    });
  } else console.warn(`The tests "${title}" are left out: ${missing}.`);
}
