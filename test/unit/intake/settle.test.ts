import { expect } from 'chai';
import type { Fingerprint } from '../../../src/intake/fingerprint.js';
import { judge, observe, type Observation, type ScanTime, type SidecarEvidence } from '../../../src/intake/settle.js';

const SETTINGS = { settleMs: 1000, sidecarPatienceMs: 60_000 };

function state(change: Partial<Fingerprint> = {}): Fingerprint {
  return { device: 1n, inode: 1n, sizeBytes: 10n, ctimeNs: 100n, ...change };
}

const at = (ms: number, tookMs = 0): ScanTime => ({ startedMs: ms, endedMs: ms + tookMs });

/** Looks at a file at these times. */
function looks(times: readonly ScanTime[], fingerprint = state(), links = 1): Observation {
  const [first, ...others] = times.map(
    (time) => (before?: Observation) => observe(before, { fingerprint, links }, time),
  );
  return others.reduce((before, look) => look(before), first!());
}

describe('A file settles', () => {
  it('when it has not changed for the quiet period', () => {
    const file = looks([at(0), at(999)]);
    expect(judge(file, {}, at(999), SETTINGS)).to.deep.equal({ kind: 'wait', untilMs: 1000 });
    expect(judge(file, {}, at(1000), SETTINGS)).to.deep.equal({ kind: 'take' });
  });

  it('counted from the end of the first scan to the beginning of the last, since scans take time', () => {
    const file = looks([at(0, 500), at(1000, 500)]);
    expect(judge(file, {}, at(1000, 500), SETTINGS)).to.deep.equal({ kind: 'wait', untilMs: 1500 });
    expect(judge(file, {}, at(1500, 500), SETTINGS)).to.deep.equal({ kind: 'take' });
  });

  for (const [what, change] of [
    ['size', { sizeBytes: 11n }],
    ['change time', { ctimeNs: 101n }],
    ['inode', { inode: 2n }],
    ['device', { device: 2n }],
  ] as const) {
    it(`and begins anew when its ${what} differs`, () => {
      const file = observe(looks([at(0)]), { fingerprint: state(change), links: 1 }, at(900));
      expect(judge(file, {}, at(1800), SETTINGS)).to.deep.equal({ kind: 'wait', untilMs: 1900 });
      expect(file.firstSeenMs).to.equal(0);
    });
  }

  it('never when it changes at each look', () => {
    let file: Observation | undefined;
    for (let ms = 0; ms < 100_000; ms += 999) {
      file = observe(file, { fingerprint: state({ ctimeNs: BigInt(ms) }), links: 1 }, at(ms));
      expect(judge(file, {}, at(ms), SETTINGS).kind).to.equal('wait');
    }
  });

  it('at once when a marker was made after its last change', () => {
    const file = looks([at(0)]);
    for (const ctimeNs of [100n, 101n]) {
      expect(judge(file, { marker: state({ ctimeNs }) }, at(0), SETTINGS)).to.deep.equal({ kind: 'take' });
    }
    expect(judge(file, { marker: state({ ctimeNs: 99n }) }, at(0), SETTINGS).kind).to.equal('wait');
    expect(judge(file, { marker: state({ ctimeNs: 99n }) }, at(1000), SETTINGS).kind).to.equal('take');
  });

  it('not while it has several names, and is refused for them at the second look', () => {
    const marker = state();
    const once = looks([at(0)], state(), 2);
    expect(judge(once, { marker }, at(5000), SETTINGS).kind).to.equal('wait');
    const twice = looks([at(0), at(999)], state(), 2);
    expect(judge(twice, { marker }, at(999), SETTINGS).kind).to.equal('wait');
    expect(judge(twice, {}, at(1000), SETTINGS)).to.deep.equal({ kind: 'refuse', reason: 'hard-link' });
  });
});

describe('A sidecar', () => {
  const sidecar = (change: Partial<SidecarEvidence> = {}): SidecarEvidence => ({
    observation: looks([at(0)]),
    digest: 'abc',
    differedFrom: undefined,
    ...change,
  });

  it('has the content compared at first sight, whether it is quiet or not', () => {
    expect(judge(looks([at(0)]), { sidecar: sidecar() }, at(0), SETTINGS)).to.deep.equal({
      kind: 'take',
      digest: 'abc',
    });
  });

  it('has a growing file compared again only when it paused between two scans', () => {
    const differedFrom = state({ sizeBytes: 5n });
    const growing = looks([at(0)]);
    expect(judge(growing, { sidecar: sidecar({ differedFrom }) }, at(0), SETTINGS).kind).to.equal('wait');
    const paused = looks([at(0), at(1)]);
    expect(judge(paused, { sidecar: sidecar({ differedFrom }) }, at(1), SETTINGS).kind).to.equal('take');
  });

  it('that differs, or has no digest, holds the file up until patience ends', () => {
    const file = looks([at(0), at(5000)]);
    for (const evidence of [sidecar({ differedFrom: state() }), sidecar({ digest: undefined })]) {
      const judged = (ms: number): unknown => judge(file, { sidecar: evidence, marker: state() }, at(ms), SETTINGS);
      expect(judged(59_999)).to.deep.equal({ kind: 'wait' });
      expect(judged(60_000)).to.deep.equal({ kind: 'refuse', reason: 'digest-differs' });
    }
  });

  it('that was changed itself begins the wait anew', () => {
    const evidence = sidecar({ differedFrom: state(), observation: looks([at(50_000)]) });
    const file = looks([at(0), at(50_000)]);
    expect(judge(file, { sidecar: evidence }, at(60_000), SETTINGS)).to.deep.equal({ kind: 'wait' });
    expect(judge(file, { sidecar: evidence }, at(110_000), SETTINGS).kind).to.equal('refuse');
  });
});
