import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Belongings } from './belongings.js';
import type { Format } from './feed-file.js';
import { Product } from './product.js';
import type { BenchServer } from './server.js';

/** What the product's database is called. */
export const PRODUCT_DATABASE = 'product';

export interface ProductSite {
  readonly server: BenchServer;
  /** The daemon's own folder is made in it. */
  readonly folder: string;
  readonly belongings: Belongings;
  readonly signal: AbortSignal;
}

/**
 * Starts the product on a database and in a folder that are new.
 *
 * @returns `close` stops it and removes both
 */
export async function openProduct(
  { server, folder: parent, belongings, signal }: ProductSite,
  format: Format,
  controlText: string,
): Promise<{ product: Product; close: () => Promise<void> }> {
  const folder = join(parent, 'product');
  const { daemonUrl } = await server.create(PRODUCT_DATABASE);
  const product = new Product(folder, format, daemonUrl, signal);
  const stop = belongings.keep(async () => {
    await product.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await product.start(controlText);
  return {
    product,
    close: async () => {
      await stop();
      await server.drop(PRODUCT_DATABASE);
    },
  };
}
