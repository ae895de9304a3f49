import { expect } from 'chai';
import { letterHtml } from '../../../src/notify/letter-html.js';
import { letterText } from '../../../src/notify/letter-text.js';
import { letterOf } from '../../../src/notify/letter.js';
import { NO_COUNTS } from '../../../src/domain/run.js';
import { BLOCKED, completeNotice, failedNotice, heldNotice, missingNotice } from './notices.js';

describe('A letter about a run', () => {
  it('that is held says why in numbers, what it would do, and how to decide', () => {
    expect(letterText(letterOf(heldNotice()))).to.equal(`Run 12 of feed hr is held: someone must decide

Nothing was changed. The run waits until it is approved or dropped.

See it and decide:
  https://sync.example.org/runs/12

Why it is held:
  - blocked: 213 users would be blocked: 20 % of those in the feed, limit 10 %

What it would do:
  records      852
  added          0
  updated        0
  blocked      213
  unblocked      0
  unchanged    852
  rejected       0
  errors         0
  took       2.0 s

On the command line:
  look                  user-sync plan 12
  apply                 user-sync approve 12 --reason "…"
  apply without blocks  user-sync approve 12 --without-blocks --reason "…"
  drop                  user-sync cancel 12

-- 
user-sync, feed hr, 2026-11-25 04:05 UTC
`);
  });

  it('tells in its subject what matters first', () => {
    const subjectOf = (notice: Parameters<typeof letterOf>[0]): string => letterOf(notice).subject;
    expect(subjectOf(heldNotice())).to.equal('[user-sync] hr: run 12 is held, please decide (blocked)');
    expect(subjectOf(failedNotice())).to.equal('[user-sync] hr: run 12 has failed (json-cut-off)');
    expect(subjectOf(completeNotice())).to.equal('[user-sync] hr: run 12 is complete (5 changes, 2 rejected)');
    const nothing = completeNotice({ outcome: 'nothing-new', counts: NO_COUNTS });
    expect(subjectOf(nothing)).to.equal('[user-sync] hr: run 12 is complete (no changes)');
    expect(subjectOf(completeNotice({ dryRun: true }))).to.equal(
      '[user-sync] hr: run 12 is complete (dry run, 2 rejected)',
    );
    expect(subjectOf(missingNotice())).to.equal('[user-sync] hr: no batch by 06:30');
  });

  it('that is held without a guard says that an operator approves every run', () => {
    const text = letterText(letterOf(heldNotice({ guards: [] })));
    expect(text).to.include('Why it is held:\n  - automatic apply: is off for this feed');
  });

  it('that failed says why, and what became of the directory', () => {
    const text = letterText(letterOf(failedNotice()));
    expect(text).to.include('Reading users: the file ends within a record, at line 7. (json-cut-off)');
    expect(text).to.include('The directory is as it was.');
    const counts = { ...NO_COUNTS, added: 1200, updated: 34 };
    const late = letterText(letterOf(failedNotice({ counts, timings: { stage: 1, plan: 1, apply: 1 } })));
    expect(late).to.include('Until then 1,234 users were changed, and stay so.');
  });

  it('that is complete says what changed, and where its errors are', () => {
    const text = letterText(letterOf(completeNotice()));
    expect(text).to.include('The directory was brought up to date: 5 changes.');
    expect(text).to.include('user-sync log 12 --errors');
    expect(text).to.include('took       1 min 7 s');
    expect(letterText(letterOf(completeNotice({ errors: 0 })))).not.to.include('--errors');
  });

  it('that did not come names deadline and last batch in the time of the feed', () => {
    const text = letterText(letterOf(missingNotice()));
    expect(text).to.include('A batch was expected by Wednesday 1 July 2026 at 06:30 (Europe/London).');
    expect(text).to.include('The last one was applied on Tuesday 30 June 2026 at 05:58 (Europe/London).');
    expect(text).to.include('user-sync runs --feed hr');
    expect(letterText(letterOf(missingNotice({ lastBatchAt: null })))).to.include('No batch was ever applied.');
  });

  it('has the same in HTML', () => {
    const html = letterHtml(letterOf(heldNotice()));
    expect(html).to.include('<h1 style="font-size: 1.3em">Run 12 of feed hr is held: someone must decide</h1>');
    expect(html).to.include('213 users would be blocked: 20 % of those in the feed, limit 10 %');
    expect(html).to.include('<a href="https://sync.example.org/runs/12"');
    expect(html).to.include('<code>user-sync approve 12 --without-blocks --reason &quot;…&quot;</code>');
  });
});

describe('Names from outside in a letter', () => {
  const hostile = `<script>alert(1)</script>"'&\r\nBcc: all@example.org\u001b[31m\u202e`;
  const notice = heldNotice({ feed: hostile, guards: [{ ...BLOCKED, guard: 'file-size', subject: hostile }] });

  it('are text in HTML, in the body as in attributes', () => {
    const html = letterHtml(letterOf({ ...notice, url: 'https://sync.example.org/runs/"onclick="x' }));
    expect(html).not.to.include('<script');
    expect(html).to.include('file &lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\u000d\\u000aBcc');
    expect(html).to.include('href="https://sync.example.org/runs/%22onclick=%22x"');
  });

  it('cannot forge lines, colours or the direction of text', () => {
    const letter = letterOf(notice);
    // eslint-disable-next-line no-control-regex
    expect(letter.subject).not.to.match(/[\u0000-\u001f\u202e]/);
    // eslint-disable-next-line no-control-regex
    expect(letterText(letter)).not.to.match(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(letterText(letter)).not.to.match(/^Bcc/m);
  });

  it('cannot smuggle anything into a command that people copy', () => {
    const text = letterText(letterOf(missingNotice({ feed: 'hr; rm -rf ~' })));
    expect(text).to.match(/ user-sync runs$/m);
  });

  it('do not make a subject long, nor cut a character in two', () => {
    for (const filler of ['x', '😀', 'x😀']) {
      const { subject } = letterOf(completeNotice({ feed: filler.repeat(500) }));
      expect(subject.length).to.be.within(110, 120);
      expect(subject.isWellFormed()).to.equal(true);
    }
  });

  it('are no link unless they lead to a web page', () => {
    expect(letterOf(heldNotice({ url: 'javascript:alert(1)' })).link).to.equal(null);
    expect(letterOf(heldNotice({ url: null })).link).to.equal(null);
  });
});
