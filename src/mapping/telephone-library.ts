import type * as Library from 'libphonenumber-js/min';
import type { MetadataJson } from 'libphonenumber-js/min';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The library, loaded when there is a telephone number: that takes longer than everything else of a small batch. */
export function telephoneLibrary(): typeof Library {
  return require('libphonenumber-js/min') as typeof Library;
}

/** The version of the rules: another one may write numbers in another form. */
export function telephoneRules(): string {
  const { version } = require('libphonenumber-js/package.json') as { version: string };
  return version;
}

/** What the library knows of the world's numbers. */
export function telephoneMetadata(): MetadataJson {
  return require('libphonenumber-js/min/metadata') as MetadataJson;
}
