import { expect } from 'chai';
import { once } from 'node:events';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { record } from '../../support/daemon-site.js';
import { eventually } from '../../support/eventually.js';
import { HttpSite } from '../../support/http-site.js';
import { API, basic, storedFiles, Uploader } from '../../support/upload.js';

const TEXT = JSON.stringify([record('ada')]);
const BODY_MS = 300;

/** A form that has begun: its name, and the file's head. */
const HEAD =
  '--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nusers\r\n' +
  '--b\r\ncontent-disposition: form-data; name="file"; filename="users.json"\r\n\r\n';
const TAIL = '\r\n--b--\r\n';

function open(http: HttpSite, path: string, headers: Readonly<Record<string, string>>): ClientRequest {
  return httpRequest(new URL(path, http.origin), {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b', ...headers },
  });
}

async function answerTo(request: ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return `${response.statusCode} ${await textOf(response)}`;
}

describe('The upload API', () => {
  it('refuses wrong, expired and revoked keys, scope read and keys of another feed, and keeps nothing', async () => {
    await using http = await HttpSite.open({ other: {} });
    const expired = await http.key('upload', null, new Date(Date.now() - 1000));
    const read = await http.key('read');
    const other = await http.key('upload', 'other');
    const right = await http.key('upload');
    const refused: readonly [headers: Record<string, string>, status: number, query?: string][] = [
      [{}, 401],
      [basic('usersync_wrong'), 401],
      [basic(right.secret, 'admin'), 401],
      [basic(expired.secret), 401],
      [basic(read.secret), 403],
      [basic(other.secret), 403, '?feed=default'],
      [basic(right.secret), 400, '?feed=none'],
      [basic(right.secret), 400, '?feed=__proto__'],
      [basic(right.secret), 400, '?feed=default&feed=other'],
    ];
    for (const [headers, status, query = ''] of refused) {
      const uploader = new Uploader(http, headers);
      const told = await uploader.file('users', TEXT, query);
      expect([told.status, told.type], told.text).to.deep.equal([status, 'text/plain; charset=utf-8']);
      const json = await uploader.start('/json', query);
      expect(json.status).to.equal(status);
      expect(JSON.parse(json.text)).to.have.nested.property('error.message').that.is.a('string');
      const xml = await uploader.start('/xml', query);
      expect([xml.status, xml.text]).to.match(new RegExp(`^${status},<\\?xml .*<sync error="true">[^<]+</sync>`, 's'));
    }
    expect(await storedFiles(http.site.path)).to.deep.equal([]);
    expect(await http.site.runs()).to.deep.equal([]);
  });

  it('takes what a key of one feed sends for that one, without being told', async () => {
    await using http = await HttpSite.open({ other: {} });
    const uploader = new Uploader(http, basic((await http.key('upload', 'other')).secret));
    await uploader.file('users', TEXT);
    expect((await uploader.start()).status).to.equal(200);
    const runs = await http.site.atRest(1, 'complete');
    expect(runs.map(({ feed }) => feed)).to.deep.equal(['other']);
  });

  it('does not listen to an address that sends many wrong keys', async () => {
    await using http = await HttpSite.open();
    const statuses: number[] = [];
    for (let tries = 0; tries < 22; tries++) {
      statuses.push((await new Uploader(http, basic(`usersync_${tries}`)).start()).status);
    }
    expect(statuses[0]).to.equal(401);
    expect(statuses.slice(-1)).to.deep.equal([429]);
  });

  it('takes a file that comes slowly, which a form may not', async () => {
    await using http = await HttpSite.open({}, {}, { bodyMs: BODY_MS });
    const { secret } = await http.key('upload');
    const upload = open(http, `${API}/upload-file`, basic(secret));
    const answer = answerTo(upload);
    for (const piece of [HEAD, TEXT.slice(0, 10), TEXT.slice(10), TAIL]) {
      upload.write(piece);
      await delay(BODY_MS);
    }
    upload.end();
    expect(await answer).to.match(/^200 \{"digest"/);
    const form = open(http, '/sign-in', { 'content-type': 'application/x-www-form-urlencoded' });
    form.write('name=Ada');
    const [error] = (await once(form, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).to.equal('ECONNRESET');
  });

  it('keeps nothing of a file whose sender goes away', async () => {
    await using http = await HttpSite.open();
    const { secret } = await http.key('upload');
    const upload = open(http, `${API}/upload-file`, basic(secret));
    upload.on('error', () => undefined);
    upload.write(HEAD + TEXT);
    await eventually('an incoming file', async () =>
      (await storedFiles(http.site.path)).length > 0 ? true : undefined,
    );
    upload.destroy();
    await eventually('no file', async () => ((await storedFiles(http.site.path)).length === 0 ? true : undefined));
    expect(await http.site.runs()).to.deep.equal([]);
  });

  it('answers who is refused while still sending, and does not listen for ever', async () => {
    await using http = await HttpSite.open();
    const { secret } = await http.key('upload');
    for (const headers of [basic('usersync_wrong'), basic(secret)]) {
      const upload = open(http, `${API}/upload-file`, headers);
      const answer = answerTo(upload);
      upload.write(HEAD.replace('\r\nusers\r\n', '\r\npeople\r\n') + TEXT);
      expect(await answer).to.match(/^40[01] /);
      // More than fits in the buffers of a connection: it goes on only if somebody reads.
      await new Promise<void>((resolve, reject) => {
        upload.write(Buffer.alloc(32 * 1024 ** 2), (error) => (error == null ? resolve() : reject(error)));
      });
      upload.on('error', () => undefined).destroy();
    }
    expect(await storedFiles(http.site.path)).to.deep.equal([]);
  });

  it('lets go of a file that is still coming when the program ends', async () => {
    await using http = await HttpSite.open();
    const { secret } = await http.key('upload');
    const upload = open(http, `${API}/upload-file`, basic(secret)).on('error', () => undefined);
    const answer = answerTo(upload);
    upload.write(HEAD + TEXT);
    await eventually('an incoming file', async () =>
      (await storedFiles(http.site.path)).length > 0 ? true : undefined,
    );
    await http.server.close();
    expect(await answer).to.match(/^503 The program is ending/);
    expect(await storedFiles(http.site.path)).to.deep.equal([]);
  });
});
