import { person, type Person } from './cli.js';

/**
 * People of a feed, who are nobody else's. They all have the same job, which tells one version of a batch from another.
 */
export function crowd(feed: string, count: number, job: string): Person[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `${feed}-${index + 1}`;
    return person(index + 1, { USERNAME: name, EMAIL: `${name}@example.org`, JOB_TITLE: job });
  });
}
