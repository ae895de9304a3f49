import type { CountryCode } from 'libphonenumber-js/min';
import { telephoneLibrary, telephoneMetadata } from './telephone-library.js';
import { plainTelephoneFormatter } from './telephone-plan.js';

/**
 * Telephone numbers in international form: `020 1234 5678` with country GB → `+44 20 1234 5678`.
 *
 * A number that cannot be one of the guessed country, such as an internal extension, is kept as it was written:
 * putting a country code before it would make it wrong. Numbers that are nothing like one give undefined.
 */
export type TelephoneFormatter = (text: string) => string | undefined;

export const DEFAULT_COUNTRY = 'GB';

/** The library is by far the slowest of all conversions, and offices share numbers. Two generations bound the memory. */
const GENERATION_SIZE = 4096;

/** Longer texts hold something else. */
const MAX_LENGTH = 100;

export function isTelephoneCountry(code: string): code is CountryCode {
  return Object.hasOwn(telephoneMetadata().countries, code);
}

export function telephoneFormatter(country: string): TelephoneFormatter {
  let format: TelephoneFormatter | undefined;
  return (text) => {
    if (text.length > MAX_LENGTH) return undefined;
    format ??= loadFormatter(country);
    return format(text);
  };
}

function loadFormatter(country: string): TelephoneFormatter {
  const guess = isTelephoneCountry(country) ? country : DEFAULT_COUNTRY;
  const plain = plainTelephoneFormatter(guess);
  const any = remembering((text) => formatByLibrary(text, guess));
  return (text) => plain(text) ?? any(text);
}

/** @returns the formatter with a memory for texts that come again */
function remembering(format: TelephoneFormatter): TelephoneFormatter {
  let young = new Map<string, string | undefined>();
  let old = new Map<string, string | undefined>();
  return (text) => {
    if (young.has(text)) return young.get(text);
    const result = old.has(text) ? old.get(text) : format(text);
    if (young.size >= GENERATION_SIZE) {
      old = young;
      young = new Map();
    }
    young.set(text, result);
    return result;
  };
}

export function formatByLibrary(text: string, country: CountryCode): string | undefined {
  if (!/\d/.test(text)) return undefined;
  const number = telephoneLibrary().parsePhoneNumberFromString(text, country);
  return number?.isPossible() === true ? number.formatInternational() : text.trim();
}
