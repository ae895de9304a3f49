/**
 * What is wrong just now, so that each problem is told once, and again only when it has changed or come back: a scan finds
 * the same unreadable file every few seconds.
 */
export class StandingProblems {
  #known = new Map<string, string>();
  #found = new Map<string, string>();

  /**
   * Notes that something is wrong with `subject`.
   *
   * @param problem differs when the problem does.
   * @returns whether that is news.
   */
  note(subject: string, problem: string): boolean {
    const isNews = this.#known.get(subject) !== problem;
    this.#known.set(subject, problem);
    this.#found.set(subject, problem);
    return isNews;
  }

  /** After a look at everything: what was not noted since the last call is over. */
  forgetOthers(): void {
    this.#known = this.#found;
    this.#found = new Map();
  }
}
