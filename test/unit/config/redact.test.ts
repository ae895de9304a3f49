import { expect } from 'chai';
import { inspect } from 'node:util';
import { loadConfig } from '../../../src/config/load.js';
import { redactConfig } from '../../../src/config/redact.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const YAML = `
database: { url: "postgres://app:sesame-database@db.example.org/users?sslpassword=sesame-tls&sslmode=require" }
http: { metricsToken: sesame-metrics-token }
mail: { smtpUrl: "smtp://app:sesame%2Fmail@mail.example.org:587", from: a@example.org }
feeds:
  hr:
    report:
      webhook: { url: "https://hooks.example.org/T1/sesame-hook", secret: sesame-webhook-secret }
      ping: "https://ping.example.org/sesame-ping"
`;

describe('redactConfig', () => {
  it('masks every secret and keeps what tells where things are', async () => {
    await using folder = await temporaryFolder({ 'user-sync.yaml': YAML });
    const config = await loadConfig({ cwd: folder.path, environment: {} });
    const shown = redactConfig(config);
    expect(inspect(config, { depth: null }).match(/sesame/g)).to.have.length(7);
    expect(inspect(shown, { depth: null })).not.to.include('sesame');
    expect(shown.database.url).to.equal('postgres://app:***@db.example.org/users?sslpassword=***&sslmode=require');
    expect(shown.http.metricsToken).to.equal('***');
    expect(shown.mail.smtpUrl).to.equal('smtp://app:***@mail.example.org:587');
    expect(shown.feeds['hr']?.report.webhook).to.deep.equal({ url: 'https://hooks.example.org/***', secret: '***' });
    expect(shown.feeds['hr']?.report.ping).to.equal('https://ping.example.org/***');
    expect(JSON.stringify(shown.feeds.default)).to.equal(JSON.stringify(config.feeds.default));
  });

  it('leaves what is not set unset, and the configuration as it was', async () => {
    await using folder = await temporaryFolder();
    const config = await loadConfig({ cwd: folder.path, environment: {} });
    expect(JSON.stringify(redactConfig(config))).to.equal(JSON.stringify(config));
  });
});
