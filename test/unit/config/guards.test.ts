import { expect } from 'chai';
import { guardsSchema } from '../../../src/config/guard-schema.js';
import { DEFAULT_GUARD_LIMITS, GUARD_NAMES, type GuardSettings } from '../../../src/domain/guard.js';

function enabledOf(settings: GuardSettings): string[] {
  return GUARD_NAMES.filter((name) => settings[name].enabled);
}

describe('the guards of a feed', () => {
  it('are all on with the limits of the table unless told', () => {
    for (const choice of ['on', true, {}]) {
      const settings = guardsSchema.parse(choice);
      expect(enabledOf(settings)).to.deep.equal([...GUARD_NAMES]);
      for (const name of GUARD_NAMES) expect(settings[name]).to.include(DEFAULT_GUARD_LIMITS[name]);
    }
  });

  it('can be switched off altogether, except that for empty batches', () => {
    for (const choice of ['off', false]) expect(enabledOf(guardsSchema.parse(choice))).to.deep.equal(['empty']);
  });

  it('can be chosen one by one; those not named are on', () => {
    const settings = guardsSchema.parse({
      'first-run': 'off',
      updated: false,
      rejected: true,
      'group-loss': 'on',
      blocked: { share: 0.5 },
      'file-size': { bytes: 0 },
      'field-emptied': { points: 5, count: undefined },
      empty: 'on',
    });
    expect(enabledOf(settings)).to.deep.equal(GUARD_NAMES.filter((name) => name !== 'first-run' && name !== 'updated'));
    expect(settings.blocked).to.deep.equal({ enabled: true, share: 0.5, count: 5 });
    expect(settings['file-size']).to.deep.equal({ enabled: true, share: 0.1, bytes: 0 });
    expect(settings['field-emptied']).to.deep.equal({ enabled: true, points: 5, count: 50 });
  });

  it('refuse limits that a guard does not have, and switching off the one for empty batches', () => {
    const wrong = [
      { empty: 'off' },
      { empty: false },
      { empty: {} },
      { blocked: { bytes: 1 } },
      { blocked: { share: 1.5 } },
      { blocked: { count: -1 } },
      { blocked: { count: 1.5 } },
      { 'first-run': { count: 1 } },
      { 'field-emptied': { points: 101 } },
      { unknown: 'on' },
      'yes',
      1,
      null,
    ];
    for (const choice of wrong) expect(guardsSchema.safeParse(choice).success, JSON.stringify(choice)).to.equal(false);
    const { error } = guardsSchema.safeParse({ empty: 'off' });
    expect(JSON.stringify(error?.issues)).to.include('cannot be switched off');
  });
});
