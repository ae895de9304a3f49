import { expect } from 'chai';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../src/lib/package-root.js';
import { people, Site } from '../support/cli.js';
import { RunningDaemon } from '../support/running-daemon.js';

const OLD = 'std:attribute:job-title';
const NEW = 'std:attribute:position';

describe('A control file that the model no longer allows', function () {
  this.timeout(60_000);

  let site: Site;
  let model: string;
  let drop: string;

  beforeEach(async () => {
    site = await Site.open({ model: './model.json', feed: { settleMs: 0, scanIntervalMs: 200, guards: 'off' } });
    model = await readFile(join(packageRoot(), 'config', 'model.json'), 'utf8');
    await site.write('model.json', model);
    drop = join(site.folder, 'var', 'drop', 'default');
    await mkdir(drop, { recursive: true });
    await using daemon = await RunningDaemon.start(site);
    await put('users.json', people(3));
    expect((await daemon.runEnds(1)).status).to.equal('complete');
  });

  afterEach(() => site?.[Symbol.asyncDispose]());

  async function put(name: string, content: object): Promise<void> {
    await writeFile(join(drop, `.${name}`), JSON.stringify(content));
    await rename(join(drop, `.${name}`), join(drop, name));
  }

  it('lets files wait, which is said with its problems, until a good one is dropped', async () => {
    await site.write('model.json', model.replaceAll(OLD, NEW));
    await using daemon = await RunningDaemon.start(site);
    await put('_start', {});
    await daemon.logged(/^The file _start waits for another control file/);
    await put('users.json', people(4));
    const { level, message } = await daemon.logged(/^The file users.json waits for another control file/);
    expect(level).to.equal('error');
    expect(message).to.include(`/instructions/7/name: `).and.include(OLD);
    expect(await readdir(drop)).to.have.members(['users.json', '_start']);
    expect(await daemon.runs()).to.have.length(1);

    await put('_control.json', JSON.parse(JSON.stringify(await site.control()).replaceAll(OLD, NEW)) as object);
    expect(await daemon.runEnds(2)).to.deep.include({ status: 'complete', files: ['users.json'] });
    const failed = daemon.log.filter((line) => /Looking after the feed failed|cannot be used/.test(line.message));
    expect(failed).to.deep.equal([]);
  });

  it('is what doctor finds, with the way to mend it', async () => {
    await site.write('model.json', model.replaceAll(OLD, NEW));
    const { code, stdout } = await site.call('doctor');
    expect(code).to.equal(1);
    expect(stdout).to.match(
      /MEND +feed default +its control file in force cannot be used .*\/instructions\/6\/name: .* \(and 1 more\)\. Drop a good one as _control\.json/,
    );
    await site.write('model.json', '{');
    expect((await site.call('doctor')).stdout)
      .to.match(/ok +feed default/)
      .and.to.match(/MEND +model/);
  });

  it('still lets somebody be looked up whom it brought', async () => {
    await site.write('model.json', model.replaceAll(OLD, NEW));
    const { code, stdout } = await site.call('user', 'user2', '--json');
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.have.nested.property('received.file', 'users');
  });
});
