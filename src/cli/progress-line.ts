import { duration, number } from '../domain/number-text.js';
import type { RunProgress } from '../domain/run.js';
import type { Terminal } from './terminal.js';

/** With the longest of everything else, a line still fits a terminal of 80 columns. */
const BAR_WIDTH = 16;
const REFRESH_MS = 100;

const PHASES: Readonly<Record<RunProgress['phase'], string>> = {
  stage: 'reading',
  plan: 'comparing',
  apply: 'applying',
};

/** The live line of a run on a terminal: phase, bar, speed and time left. */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #phase: RunProgress['phase'] | undefined;
  #phaseStart = 0;
  #lastShown = -Infinity;

  constructor(terminal: Terminal, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#now = now;
  }

  readonly update = (progress: RunProgress): void => {
    const now = this.#now();
    if (progress.phase !== this.#phase) {
      this.#phase = progress.phase;
      this.#phaseStart = now;
    } else if (now - this.#lastShown < REFRESH_MS) {
      return;
    }
    this.#lastShown = now;
    this.#terminal.progress(progressText(progress, (now - this.#phaseStart) / 1000));
  };

  end(): void {
    this.#terminal.progress();
  }
}

/** @param seconds since the phase began */
export function progressText(progress: RunProgress, seconds: number): string {
  const share = progress.total === 0 ? 1 : Math.min(1, progress.done / progress.total);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  const count = progress.records ?? (progress.unit === 'users' ? progress.done : undefined);
  const speed =
    count === undefined || seconds < 0.5
      ? ''
      : `  ${number(Math.round(count / seconds))} ${progress.unit === 'users' ? 'users' : 'records'}/s`;
  const total = count === undefined ? '' : `  ${number(count)}`;
  const left = share > 0.02 && share < 1 && seconds > 1 ? `  ${duration((seconds / share) * (1 - share))} left` : '';
  return `${PHASES[progress.phase].padEnd(9)} ${bar} ${String(Math.floor(share * 100)).padStart(3)} %${total}${speed}${left}`;
}
