import { z } from 'zod';

/** One page of a list. */
export interface Page<Item> {
  readonly items: Item[];
  /** The cursor of the next page; null when this is the last. */
  readonly next: number | null;
}

export function pageSchema<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ items: z.ZodArray<Item>; next: z.ZodNullable<z.ZodInt> }> {
  return z.object({
    items: z.array(item),
    next: z.int().nullable().describe('The cursor of the next page; null after the last'),
  });
}

/** @param rows one more than fit the page, when there are more */
export function pageOf<Row>(rows: readonly Row[], limit: number, cursorOf: (row: Row) => number): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
