import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { expectedFiles, type ExpectedFiles } from '../../sync/expected-files.js';
import type { HttpContext } from '../context.js';

/** What is shown of a feed that never had a run: how to send it the first batch. */
export async function firstBatch({ app }: HttpContext, feed: string, isOneOfSeveral: boolean): Promise<Html> {
  const [{ dropDirectory, start, guards }, expected] = await Promise.all([
    app.feed(feed),
    expectedFiles(app.sync, feed),
  ]);
  const title = isOneOfSeveral ? `Send the first batch of feed ${printable(feed)}` : 'Send the first batch';
  return html`<section class="card lesson">
    <h2>${title}</h2>
    <p>User sync takes files from this directory of the server, and makes a run of them:</p>
    <pre>${printable(dropDirectory)}</pre>
    <ol>
      ${whatToSend(feed, expected)}
      <li>
        ${start === 'when-ready' ? 'When all files are there, the run starts by itself.' : html`When all files are there, a file named <code>_start</code> starts the run.`}
        ${guards['first-run'].enabled ? 'A first run is held, so that somebody sees what it would do before it does it.' : null}
      </li>
    </ol>
    <p><a href="/feeds">Feeds</a> shows control file, settings and other ways to send files.</p>
  </section>`;
}

function whatToSend(feed: string, expected: ExpectedFiles): HtmlValue {
  if (expected.kind === 'no-control') return noControl();
  if (expected.kind === 'listed') return files(expected.names);
  return html`<li>
    First it needs another control file: the one in force cannot be used any more.
    <a href="/feeds/${feed}#control">What is wrong with it, and where to send one</a>.
  </li>`;
}

function noControl(): HtmlValue {
  return html`<li>
      First it needs a control file, which says what files a batch has and what their fields mean. Make one in the
      <a href="/workbench">workbench</a>, and put it there as <code>_control.json</code>.
    </li>
    <li>
      Then put the files there that it lists: <code>NAME.json</code>, <code>NAME.csv</code> or <code>NAME.xml</code>.
    </li>`;
}

function files(listed: readonly string[]): HtmlValue {
  return html`<li>
    Put ${listed.length === 1 ? 'the file' : 'the files'}
    ${listed.map((name, index) => html`${index === 0 ? '' : ', '}<code>${name}.json</code>`)} there. Only the part
    before the first dot counts: <code>${listed[0] ?? 'users'}.2026-11-25.csv</code> will do, if its content is what the
    control file says.
  </li>`;
}
