import type { Destination } from '../model/destinations.js';

/**
 * Which assignments would overwrite each other because they stand in a `for-each`: all without `multivalue`, unless
 * their destination was started afresh (`new`, `load`) earlier in the same loop.
 */
export class LoopScope {
  private constructor(private fresh: Set<string> | undefined) {}

  static outside(): LoopScope {
    return new LoopScope(undefined);
  }

  /** An inner loop starts anew: what the outer one made is overwritten by the inner one's elements. */
  static insideLoop(): LoopScope {
    return new LoopScope(new Set());
  }

  overwrites(destination: Destination): boolean {
    if (this.fresh === undefined || destination.kind === 'pseudo') return false;
    return !this.fresh.has(destination.name);
  }

  startsAfresh(destination: Destination): void {
    this.fresh?.add(destination.name);
  }

  /** Two scopes for the branches of a condition. */
  branch(): [LoopScope, LoopScope] {
    return [new LoopScope(this.fresh && new Set(this.fresh)), new LoopScope(this.fresh && new Set(this.fresh))];
  }

  /** After a condition, only what both branches started is surely fresh. */
  join(one: LoopScope, other: LoopScope): void {
    if (this.fresh === undefined) return;
    this.fresh = new Set([...(one.fresh ?? [])].filter((name) => other.fresh?.has(name)));
  }
}
