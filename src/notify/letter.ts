import { decisionCommands } from '../domain/decision.js';
import { describeGuard } from '../domain/guard-text.js';
import { counted, duration, number } from '../domain/number-text.js';
import type { MissingBatchNotice, RunEndNotice, RunNotice } from '../domain/run-notice.js';
import type { RunCounts } from '../domain/run.js';
import { printable } from '../lib/printable.js';

/** A notice in words, before it is text or HTML. Everything in it is plain text. */
export interface Letter {
  readonly subject: string;
  readonly headline: string;
  readonly paragraphs: readonly string[];
  /** Titled lists, in the order in which they are read. */
  readonly sections: readonly LetterSection[];
  readonly link: { readonly text: string; readonly url: string } | null;
  readonly footer: string;
}

export interface LetterSection {
  readonly title: string;
  readonly rows: readonly LetterRow[];
}

export interface LetterRow {
  readonly label: string;
  readonly value: string;
  readonly kind: 'sentence' | 'number' | 'command';
}

/** What may stand in a command that people copy. Names of feeds are like this, but they come from elsewhere. */
const SHELL_SAFE = /^[a-z0-9][a-z0-9_-]*$/;

/** Mail programs show about this much of a subject. */
const MAX_SUBJECT = 120;

export function letterOf(notice: RunNotice): Letter {
  const feed = printable(notice.feed);
  const body = notice.event === 'missing' ? missingBatch(notice, feed) : runEnd(notice, feed);
  return {
    ...body,
    subject: shortened(`[user-sync] ${body.subject}`),
    link: linkOf(notice),
    footer: `user-sync, feed ${feed}, ${notice.at.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
  };
}

type Body = Omit<Letter, 'link' | 'footer'>;

function runEnd(notice: RunEndNotice, feed: string): Body {
  const which = `Run ${notice.run} of feed ${feed}`;
  switch (notice.event) {
    case 'held':
      return {
        subject: `${feed}: run ${notice.run} is held, please decide${inBrackets(guardNames(notice))}`,
        headline: `${which} is held: someone must decide`,
        paragraphs: ['Nothing was changed. The run waits until it is approved or dropped.'],
        sections: [reasons(notice), counts('What it would do', notice), decisions(notice)],
      };
    case 'failed':
      return {
        subject: `${feed}: run ${notice.run} has failed${inBrackets(notice.failure?.code ?? '')}`,
        headline: `${which} has failed`,
        paragraphs: [...failure(notice), whatRemains(notice)],
        sections: [
          counts('As far as it came', notice),
          commands([
            ['look', `user-sync run ${notice.run}`],
            ['log', `user-sync log ${notice.run}`],
          ]),
        ],
      };
    case 'complete':
      return {
        subject: `${feed}: run ${notice.run} is complete (${outcome(notice)})`,
        headline: `${which} is complete`,
        paragraphs: [completion(notice)],
        sections: [
          counts(notice.dryRun ? 'What it would do' : 'What it did', notice),
          ...(notice.errors > 0 ? [commands([['errors', `user-sync log ${notice.run} --errors`]])] : []),
        ],
      };
  }
}

function missingBatch(notice: MissingBatchNotice, feed: string): Body {
  const { deadline, timeZone, lastBatchAt } = notice;
  return {
    subject: `${feed}: no batch by ${timeOfDay(deadline, timeZone)}`,
    headline: `Feed ${feed} has no batch`,
    paragraphs: [
      `A batch was expected by ${dayAndTime(deadline, timeZone)}.`,
      lastBatchAt === null
        ? 'No batch was ever applied.'
        : `The last one was applied on ${dayAndTime(lastBatchAt, timeZone)}.`,
      'Nothing was changed: the users stay as they are. Ask those who run the source system whether it has delivered.',
    ],
    sections: [commands([['look', `user-sync runs${SHELL_SAFE.test(feed) ? ` --feed ${feed}` : ''}`]])],
  };
}

function reasons({ guards }: RunEndNotice): LetterSection {
  const rows = guards.map((result) => sentence(result.guard, describeGuard(result)));
  const noGuard = sentence('automatic apply', 'is off for this feed, so an operator approves every run');
  return { title: 'Why it is held', rows: rows.length > 0 ? rows : [noGuard] };
}

function sentence(label: string, text: string): LetterRow {
  return { label, value: printable(text), kind: 'sentence' };
}

function counts(title: string, { counts: found, errors, timings }: RunEndNotice): LetterSection {
  const seconds = timings.stage + timings.plan + timings.apply;
  const rows = [
    ...COUNTS.map((name) => [name, number(found[name])] as const),
    ['errors', number(errors)] as const,
    ['took', duration(seconds)] as const,
  ];
  return { title, rows: rows.map(([label, value]) => ({ label, value, kind: 'number' })) };
}

const COUNTS: readonly (keyof RunCounts)[] = [
  'records',
  'added',
  'updated',
  'blocked',
  'unblocked',
  'unchanged',
  'rejected',
];

function decisions(notice: RunEndNotice): LetterSection {
  const rows = decisionCommands(notice.run, notice.counts);
  return commands(rows.map(({ does, command }) => [does, command]));
}

function commands(rows: readonly (readonly [string, string])[]): LetterSection {
  return { title: 'On the command line', rows: rows.map(([label, value]) => ({ label, value, kind: 'command' })) };
}

function failure({ failure: found }: RunEndNotice): string[] {
  return found === null ? [] : [`${printable(found.message)} (${printable(found.code)})`];
}

/** Once a run began to apply, its counts are what it really did. */
function whatRemains({ counts: found, timings }: RunEndNotice): string {
  const changed = changes(found);
  return timings.apply === 0 || changed === 0
    ? 'The directory is as it was.'
    : `Until then ${counted(changed, 'user')} ${changed === 1 ? 'was' : 'were'} changed, and ${changed === 1 ? 'stays' : 'stay'} so. The next run does the rest.`;
}

function completion(notice: RunEndNotice): string {
  if (notice.dryRun) return 'It was a dry run: nothing was changed.';
  switch (notice.outcome) {
    case 'nothing-new':
      return 'The batch is the same as the last one: nothing was changed.';
    case 'nothing-to-change':
      return 'The directory agrees with the batch: nothing was changed.';
    default:
      return `The directory was brought up to date: ${counted(changes(notice.counts), 'change')}.`;
  }
}

function outcome(notice: RunEndNotice): string {
  const rejected = notice.counts.rejected > 0 ? `, ${number(notice.counts.rejected)} rejected` : '';
  if (notice.dryRun) return `dry run${rejected}`;
  const done =
    notice.outcome === 'nothing-new' || notice.outcome === 'nothing-to-change'
      ? 'no changes'
      : counted(changes(notice.counts), 'change');
  return `${done}${rejected}`;
}

function changes(found: RunCounts): number {
  return found.added + found.updated + found.blocked + found.unblocked;
}

function guardNames({ guards }: RunEndNotice): string {
  return [...new Set(guards.map((result) => result.guard))].join(', ');
}

function inBrackets(text: string): string {
  return text === '' ? '' : ` (${printable(text)})`;
}

function linkOf({ url, event }: RunNotice): Letter['link'] {
  if (url === null || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return null;
  return { text: event === 'held' ? 'See it and decide' : 'See it', url: new URL(url).href };
}

function timeOfDay(instant: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(instant);
}

/** `Wednesday 25 November 2026 at 06:30 (Europe/London)` */
function dayAndTime(instant: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'full' });
  return `${format.format(instant).replace(',', '')} at ${timeOfDay(instant, timeZone)} (${timeZone})`;
}

function shortened(text: string): string {
  return text.length <= MAX_SUBJECT ? text : `${text.slice(0, MAX_SUBJECT - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
