import { createRequire } from 'node:module';
import { isSupportedCountry, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/min';

/**
 * Telephone numbers in international form: `020 1234 5678` with country GB → `+44 20 1234 5678`.
 *
 * A number that cannot be one of the guessed country, such as an internal extension, is kept as it was written:
 * putting a country code before it would make it wrong. Numbers that are nothing like one give undefined.
 */
export type TelephoneFormatter = (text: string) => string | undefined;

export const DEFAULT_COUNTRY = 'GB';

/** Formatting is by far the slowest conversion, and offices share numbers. Two generations bound the memory. */
const GENERATION_SIZE = 4096;

/** Longer texts hold something else. */
const MAX_LENGTH = 100;

/** The version of the rules: another one may write numbers in another form. */
export function telephoneRules(): string {
  const { version } = createRequire(import.meta.url)('libphonenumber-js/package.json') as { version: string };
  return version;
}

export function isTelephoneCountry(code: string): code is CountryCode {
  return isSupportedCountry(code);
}

export function telephoneFormatter(country: string): TelephoneFormatter {
  const guess = isTelephoneCountry(country) ? country : DEFAULT_COUNTRY;
  let young = new Map<string, string | undefined>();
  let old = new Map<string, string | undefined>();
  return (text) => {
    if (young.has(text)) return young.get(text);
    const formatted = old.has(text) ? old.get(text) : format(text, guess);
    if (young.size >= GENERATION_SIZE) {
      old = young;
      young = new Map();
    }
    young.set(text, formatted);
    return formatted;
  };
}

function format(text: string, country: CountryCode): string | undefined {
  if (text.length > MAX_LENGTH || !/\d/.test(text)) return undefined;
  const number = parsePhoneNumberFromString(text, country);
  return number?.isPossible() === true ? number.formatInternational() : text.trim();
}
