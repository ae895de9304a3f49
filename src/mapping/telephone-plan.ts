import type { CountryCode } from 'libphonenumber-js/min';
import { isDeepStrictEqual } from 'node:util';
import { telephoneLibrary, telephoneMetadata } from './telephone-library.js';

/** What the library knows of a country's numbers. It has these methods; its types leave most of them out. 0: nothing. */
interface NumberingPlan {
  nationalNumberPattern(): string;
  possibleLengths(): readonly number[];
  IDDPrefix(): string;
  nationalPrefixForParsing(): string | 0 | undefined;
  formats(): readonly NumberFormat[];
}

interface NumberFormat {
  pattern(): string;
  leadingDigitsPatterns(): readonly string[];
  internationalFormat(): string;
}

/** The numbers of one calling code, which may be that of several countries. */
interface PlainPlan {
  readonly callingCode: string;
  /** Numbers that begin with it may have to lose digits. */
  readonly prefix: RegExp | undefined;
  /** Possible in every country with the code. */
  readonly lengths: ReadonlySet<number>;
  readonly formats: readonly PlainFormat[];
}

interface PlainFormat {
  readonly leadingDigits: RegExp;
  readonly whole: RegExp;
  readonly groups: RegExp;
  readonly international: string;
}

/** How numbers are written without calling code within a country. */
interface NationalRules {
  readonly plan: PlainPlan;
  /** Begins a number of another country. */
  readonly internationalPrefix: RegExp;
  readonly prefix: RegExp | undefined;
  readonly whole: RegExp;
}

/** Digits with what usually stands between them; nothing that may begin an extension. */
const PLAIN = /^[ (]*\+?[0-9][0-9 ().-]*$/;
const NO_DIGITS = /[^0-9]+/g;
const SEPARATORS = /[-/.()[\] ]+/g;
/** Shorter ones are often extensions, which the library tells from numbers. */
const FEWEST_DIGITS = 5;
const LONGEST_CALLING_CODE = 3;

/**
 * Writes plain telephone numbers in international form as the library does, many times as fast: the library makes each
 * regular expression anew for each number, here each is made once, of the library's own data. What takes a decision is left
 * to the library: digits that may be a prefix within an international number, a length that only some
 * countries of a calling code have, an extension.
 *
 * @param country for numbers without a calling code
 * @returns a function that gives undefined for what it leaves to the library
 */
export function plainTelephoneFormatter(country: CountryCode): (text: string) => string | undefined {
  const plans = plansByCallingCode();
  const rules = nationalRules(country, plans);
  return (text) => {
    if (!PLAIN.test(text)) return undefined;
    const digits = text.replace(NO_DIGITS, '');
    if (digits.length < FEWEST_DIGITS) return undefined;
    if (text.includes('+')) return formatInternational(digits, plans);
    return rules === undefined ? undefined : formatNational(digits, rules);
  };
}

/** @param digits with the calling code */
function formatInternational(digits: string, plans: ReadonlyMap<string, PlainPlan>): string | undefined {
  for (let length = 1; length <= LONGEST_CALLING_CODE; length += 1) {
    const plan = plans.get(digits.slice(0, length));
    if (plan === undefined) continue;
    const number = digits.slice(length);
    return plan.prefix?.test(number) === true ? undefined : written(number, plan);
  }
  return undefined;
}

/** @param digits as they are dialled within the country */
function formatNational(digits: string, rules: NationalRules): string | undefined {
  const { plan, internationalPrefix, prefix, whole } = rules;
  if (internationalPrefix.test(digits) || digits.startsWith(plan.callingCode)) return undefined;
  const begun = prefix?.exec(digits);
  if (begun === null || begun === undefined) return written(digits, plan);
  const [stripped, ...groups] = begun;
  // A part of the prefix may be a carrier's code, or belong to the number.
  if (groups.some((group) => group !== undefined)) return undefined;
  const number = digits.slice(stripped.length);
  return whole.test(number) ? written(number, plan) : undefined;
}

/** @param number without calling code and prefix */
function written(number: string, { callingCode, lengths, formats }: PlainPlan): string | undefined {
  if (!lengths.has(number.length)) return undefined;
  const format = formats.find(({ leadingDigits, whole }) => leadingDigits.test(number) && whole.test(number));
  if (format === undefined) return `+${callingCode} ${number}`;
  const grouped = number.replace(format.groups, format.international).replace(SEPARATORS, ' ').trim();
  return `+${callingCode} ${grouped}`;
}

/** Of all calling codes whose countries write numbers alike; made once. */
function plansByCallingCode(): ReadonlyMap<string, PlainPlan> {
  return (allPlans ??= makePlans());
}

let allPlans: ReadonlyMap<string, PlainPlan> | undefined;

function makePlans(): ReadonlyMap<string, PlainPlan> {
  const plans = new Map<string, PlainPlan>();
  for (const [callingCode, countries] of Object.entries(telephoneMetadata().country_calling_codes)) {
    const [main, ...others] = countries.map(numberingPlan);
    if (main === undefined || others.some((other) => !writesAlike(main, other))) continue;
    const lengths = main
      .possibleLengths()
      .filter((length) => others.every((other) => other.possibleLengths().includes(length)));
    plans.set(callingCode, {
      callingCode,
      prefix: prefixOf(main),
      lengths: new Set(lengths),
      formats: main.formats().map(plainFormat),
    });
  }
  return plans;
}

function nationalRules(country: CountryCode, plans: ReadonlyMap<string, PlainPlan>): NationalRules | undefined {
  const plan = plans.get(telephoneLibrary().getCountryCallingCode(country));
  if (plan === undefined) return undefined;
  const own = numberingPlan(country);
  return {
    plan,
    internationalPrefix: new RegExp(`^(?:${own.IDDPrefix()})`),
    prefix: prefixOf(own),
    whole: new RegExp(`^(?:${own.nationalNumberPattern()})$`),
  };
}

function numberingPlan(country: CountryCode): NumberingPlan {
  const numbers = new (telephoneLibrary().Metadata)();
  numbers.selectNumberingPlan(country);
  return numbers.numberingPlan as unknown as NumberingPlan;
}

function writesAlike(one: NumberingPlan, other: NumberingPlan): boolean {
  return isDeepStrictEqual(one.formats().map(patternsOf), other.formats().map(patternsOf));
}

function patternsOf(format: NumberFormat): readonly unknown[] {
  return [format.pattern(), format.leadingDigitsPatterns(), format.internationalFormat()];
}

function prefixOf(plan: NumberingPlan): RegExp | undefined {
  const prefix = plan.nationalPrefixForParsing();
  return prefix ? new RegExp(`^(?:${prefix})`) : undefined;
}

function plainFormat(format: NumberFormat): PlainFormat {
  return {
    // The last is the most exact.
    leadingDigits: new RegExp(`^(?:${format.leadingDigitsPatterns().at(-1) ?? ''})`),
    whole: new RegExp(`^(?:${format.pattern()})$`),
    groups: new RegExp(format.pattern()),
    international: format.internationalFormat(),
  };
}
