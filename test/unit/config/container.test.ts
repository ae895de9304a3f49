import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../../src/config/load.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { readCompose } from '../../support/compose.js';

const CONTAINER = join(packageRoot(), 'config', 'container');

describe('the container image', () => {
  it('has a configuration that holds without any variable, and takes them when set', async () => {
    const file = join(CONTAINER, 'user-sync.yaml');
    const plain = await loadConfig({ file, environment: {} });
    expect(plain.http.host).to.equal('0.0.0.0');
    expect(plain.http.metricsToken).to.equal(undefined);
    expect(plain.mail.smtpUrl).to.equal(undefined);
    const set = await loadConfig({
      file,
      environment: {
        SMTP_URL: 'smtp://mail.example.org',
        MAIL_FROM: 'user-sync@example.org',
        METRICS_TOKEN: 'a-token-of-some-length',
        LOG_LEVEL: 'debug',
        CONTROL_FILE: '/etc/control.json',
      },
    });
    expect(set.mail).to.deep.equal({ smtpUrl: 'smtp://mail.example.org', from: 'user-sync@example.org' });
    expect(set.log.level).to.equal('debug');
    expect(set.feeds.default.control).to.equal('/etc/control.json');
  });
});

describe('compose.yaml', () => {
  it('builds from files that are there and declares every volume that it mounts', () => {
    const { services, volumes } = readCompose();
    expect(Object.keys(services)).to.deep.equal(['postgres', 'sftp', 'migrate', 'user-sync']);
    for (const { build } of Object.values(services)) {
      if (build === undefined) continue;
      const { context, dockerfile } = typeof build === 'string' ? { context: build, dockerfile: 'Dockerfile' } : build;
      expect(existsSync(join(packageRoot(), context, dockerfile)), dockerfile).to.equal(true);
    }
    const mounted = Object.values(services).flatMap((service) =>
      (service.volumes ?? []).map((one) => one.split(':')[0]!),
    );
    const isFolder = (source: string): boolean => source.startsWith('./');
    expect(new Set(mounted.filter((source) => !isFolder(source)))).to.deep.equal(new Set(Object.keys(volumes)));
    for (const folder of mounted.filter(isFolder))
      expect(existsSync(join(packageRoot(), folder)), folder).to.equal(true);
  });

  it('shares the drop directory that the configuration of the image names', async () => {
    const { services } = readCompose();
    const { feeds } = await loadConfig({ file: join(CONTAINER, 'user-sync.yaml'), environment: {} });
    for (const name of ['sftp', 'user-sync']) expect(services[name]?.volumes).to.include('drop:/srv/drop');
    expect(feeds.default.dropDirectory).to.equal('/srv/drop/default/upload');
    expect(readFileSync(join(CONTAINER, 'sftp-entrypoint.sh'), 'utf8')).to.include('"/srv/drop/$feed/upload"');
  });

  it('copies into the images only what is in the repository', () => {
    for (const [folder, file] of [
      ['.', 'Dockerfile'],
      ['config/container', 'sftp.Dockerfile'],
    ] as const) {
      const text = readFileSync(join(packageRoot(), folder, file), 'utf8');
      const sources = [...text.matchAll(/^COPY (?!--from)(?:--\S+ )*(.+) \S+$/gm)].flatMap(([, names = '']) =>
        names.split(' '),
      );
      expect(sources.length).to.be.greaterThan(1);
      for (const source of sources) expect(existsSync(join(packageRoot(), folder, source)), source).to.equal(true);
    }
  });
});
