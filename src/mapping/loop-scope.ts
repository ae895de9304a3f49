import type { Destination } from '../model/destinations.js';

/**
 * Which assignments would overwrite each other because they stand in a `for-each`: all without `multivalue`, unless
 * their destination was started afresh (`new`, `load`) earlier in the same loop. What is collected in `value:…` is
 * exempt, and so is an attribute group that the loop itself sets, which takes it out again.
 */
export class LoopScope {
  private constructor(
    private fresh: Set<string> | undefined,
    private readonly takenInLoop: ReadonlySet<string> = new Set(),
  ) {}

  static outside(): LoopScope {
    return new LoopScope(undefined);
  }

  /** An inner loop starts anew: what the outer one made is overwritten by the inner one's elements. */
  static insideLoop(takenInLoop: ReadonlySet<string>): LoopScope {
    return new LoopScope(new Set(), takenInLoop);
  }

  overwrites({ role, name }: Destination): boolean {
    if (this.fresh === undefined || role === 'structured' || role === 'load') return false;
    return !this.fresh.has(name) && !this.takenInLoop.has(name);
  }

  startsAfresh(destination: Destination): void {
    this.fresh?.add(destination.name);
  }

  /** Two scopes for the branches of a condition. */
  branch(): [LoopScope, LoopScope] {
    const copy = (): LoopScope => new LoopScope(this.fresh && new Set(this.fresh), this.takenInLoop);
    return [copy(), copy()];
  }

  /** After a condition, only what both branches started is surely fresh. */
  join(one: LoopScope, other: LoopScope): void {
    if (this.fresh === undefined) return;
    this.fresh = new Set([...(one.fresh ?? [])].filter((name) => other.fresh?.has(name)));
  }
}
