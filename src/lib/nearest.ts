/**
 * The candidate that someone who wrote `word` most likely meant, or undefined when none is near. Differences of case
 * and of `-`, `_` and `.` count for nothing; otherwise about one slip for three letters is forgiven. Parts before a colon
 * that both have count for nothing either: they would make whatever follows look alike.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(word);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const folded = fold(candidate);
    const shared = sharedParts(wanted, folded);
    const own = wanted.slice(shared);
    const distance = editDistance(own, folded.slice(shared));
    if (distance <= Math.max(1, Math.floor(own.length / 3)) && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function fold(word: string): string {
  // Names that an operator writes are short; a longer one is noise and must not cost quadratic time.
  return word.slice(0, 64).toLowerCase().replace(/[-_.]/g, '');
}

/** The length of what both begin with, up to a colon. */
function sharedParts(a: string, b: string): number {
  let length = 0;
  for (let i = 0; i < a.length && a[i] === b[i]; i++) if (a[i] === ':') length = i + 1;
  return length;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
