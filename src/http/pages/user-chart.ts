import type { RunRow } from '../../db/runs.js';
import { html, type Html } from '../../lib/html.js';
import { number, table, time } from './parts.js';

const COMPACT = new Intl.NumberFormat('en-GB', { notation: 'compact' });

/** Sizes in the units of the drawing. */
const WIDTH = 720;
const HEIGHT = 250;
const LEFT = 56;
const TOP = 16;
const BOTTOM = 32;
const BAR_WIDTH = 8;
const WIDEST_SLOT = 60;

const SERIES = [
  { name: 'joined', text: 'Joined', of: ({ counts }: RunRow) => counts.added + counts.unblocked },
  { name: 'changed', text: 'Changed', of: ({ counts }: RunRow) => counts.updated },
  { name: 'left', text: 'Left', of: ({ counts }: RunRow) => counts.blocked },
] as const;

/**
 * Users who joined, changed and left in each run, oldest first: three bars a run. The scale is logarithmic, as the first
 * run of a feed adds thousands and a usual one changes a handful; both must be seen.
 */
export function userChart(runs: readonly RunRow[]): Html {
  const most = Math.max(1, ...runs.flatMap((run) => SERIES.map(({ of }) => of(run))));
  const decades = Math.max(1, Math.ceil(Math.log10(most)));
  const height = (value: number): number =>
    (Math.log10(value + 1) / Math.log10(10 ** decades + 1)) * (HEIGHT - TOP - BOTTOM);
  const slot = Math.min(WIDEST_SLOT, (WIDTH - LEFT) / runs.length);
  return html`<section class="card">
    <h2>Users in the last ${runs.length === 1 ? 'run' : `${runs.length} runs`}</h2>
    <p class="legend">
      ${SERIES.map(({ name, text }) => html`<span class="key ${name}">${text}</span> `)}
      <small>Each step up is ten times as many.</small>
    </p>
    <svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="chart-title chart-text">
      <title id="chart-title">Users who joined, changed and left, run by run</title>
      <desc id="chart-text">${summary(runs)} The table below has all numbers.</desc>
      ${grid(decades, height)}
      ${runs.map((run, index) => bars(run, LEFT + index * slot, slot, height, isLabelled(index, runs.length)))}
    </svg>
    <details>
      <summary>The numbers</summary>
      ${numbers(runs)}
    </details>
  </section>`;
}

function grid(decades: number, height: (value: number) => number): Html {
  const steps = [0, ...Array.from({ length: decades }, (_, power) => 10 ** (power + 1))];
  return html`${steps.map((value) => {
    const y = round(HEIGHT - BOTTOM - height(value));
    return html`<line x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}" /><text
        x="${LEFT - 8}"
        y="${y + 4}"
        text-anchor="end"
        >${COMPACT.format(value)}</text
      >`;
  })}`;
}

function bars(run: RunRow, x: number, slot: number, height: (value: number) => number, isLabelled: boolean): Html {
  const base = HEIGHT - BOTTOM;
  const start = x + (slot - BAR_WIDTH * SERIES.length) / 2;
  return html`<g>
    <title>
      ${`Run ${run.id}: ${SERIES.map(({ text, of }) => `${text.toLowerCase()} ${number(of(run))}`).join(', ')}`}
    </title>
    ${SERIES.map(({ name, of }, index) => {
      const tall = round(height(of(run)));
      return html`<rect
        class="${name}"
        x="${round(start + index * BAR_WIDTH)}"
        y="${round(base - tall)}"
        width="${BAR_WIDTH - 1}"
        height="${tall}"
      />`;
    })}
    ${isLabelled ? html`<text x="${round(x + slot / 2)}" y="${HEIGHT - 8}" text-anchor="middle">${run.id}</text>` : null}
  </g>`;
}

/** Every run of a few, every fifth of many, and the last one. */
function isLabelled(index: number, count: number): boolean {
  return count <= 8 || (count - 1 - index) % 5 === 0;
}

function summary(runs: readonly RunRow[]): string {
  const sums = SERIES.map(
    ({ text, of }) => `${text.toLowerCase()} ${number(runs.reduce((sum, run) => sum + of(run), 0))}`,
  );
  return `In all, ${sums.join(', ')}.`;
}

function numbers(runs: readonly RunRow[]): Html {
  const rows = runs.toReversed().map(
    (run) =>
      html`<tr>
        <th scope="row"><a href="/runs/${run.id}">${run.id}</a></th>
        <td>${run.feed}</td>
        <td>${time(run.finishedAt)}</td>
        ${SERIES.map(({ of }) => html`<td class="number">${number(of(run))}</td>`)}
      </tr>`,
  );
  const heads = SERIES.map(({ text }) => html`<span class="right">${text}</span>`);
  return table(['Run', 'Feed', 'Finished', ...heads], rows, 'Users who joined, changed and left, newest run first');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
