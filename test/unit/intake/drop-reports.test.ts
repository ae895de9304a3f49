import { expect } from 'chai';
import { DropReports } from '../../../src/intake/drop-reports.js';
import { memoryLogger } from '../../../src/lib/logger.js';
import { RecordingHandler } from '../../support/drop-site.js';

const warning = { code: 'store-failed', message: 'the disk is full' } as const;

describe('Reports of a drop directory', () => {
  it('warn handler and log once of what every round finds', async () => {
    const [handler, logger] = [new RecordingHandler(), memoryLogger()];
    const reports = new DropReports(handler, logger);
    for (let round = 0; round < 3; round += 1) {
      await reports.warn('store', warning);
      reports.endRound();
    }
    expect(handler.warnings).to.deep.equal([warning]);
    expect(logger.entries.map((entry) => entry.level)).to.deep.equal(['warn']);
    reports.endRound();
    await reports.warn('store', warning);
    expect(handler.warnings).to.have.length(2);
  });

  it('warn once for good of what no round finds again', async () => {
    const handler = new RecordingHandler();
    const reports = new DropReports(handler, memoryLogger());
    for (let round = 0; round < 3; round += 1) {
      await reports.warnOnce({ code: 'hints-failed', message: 'too few watches' }, new Error('ENOSPC'));
      reports.endRound();
    }
    expect(handler.warnings).to.have.length(1);
  });

  it('go on when the handler does not listen', async () => {
    const [handler, logger] = [new RecordingHandler(), memoryLogger()];
    handler.onWarning = () => Promise.reject(new Error('mail is down'));
    await new DropReports(handler, logger).warn('store', warning);
    expect(logger.entries.map((entry) => entry.level)).to.deep.equal(['warn', 'error']);
  });
});
