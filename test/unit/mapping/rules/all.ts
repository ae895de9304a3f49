import { CONVERSION } from './conversion.js';
import { DATA_TYPES } from './data-types.js';
import { DATES } from './dates.js';
import { DEPENDENTS } from './dependents.js';
import { FILES } from './files.js';
import { FORMATS } from './formats.js';
import { GROUPS } from './groups.js';
import { INSTRUCTIONS } from './instructions.js';
import { LOADING } from './loading.js';
import { MODEL } from './model.js';
import { REFERENCES } from './references.js';
import type { Case, Chapter, Rule } from './rule.js';
import { STRUCTURED } from './structured.js';
import { USERNAMES } from './usernames.js';
import { VALIDATION } from './validation.js';
import { VALUES } from './values.js';

/** The language, chapter by chapter. */
export const CHAPTERS: readonly Chapter[] = [
  FILES,
  FORMATS,
  INSTRUCTIONS,
  STRUCTURED,
  VALUES,
  VALIDATION,
  CONVERSION,
  DATA_TYPES,
  DATES,
  REFERENCES,
  MODEL,
  DEPENDENTS,
  LOADING,
  GROUPS,
  USERNAMES,
];

export const RULES: readonly Rule[] = CHAPTERS.flatMap(({ rules }) => rules);

/** How many rules and cases there are, for whoever wants to cite them. */
export const RULE_COUNTS: Readonly<Record<'rules' | 'cases' | 'engineCases', number>> = {
  rules: RULES.length,
  cases: RULES.reduce((sum, { cases }) => sum + cases.length, 0),
  engineCases: RULES.reduce((sum, { cases }) => sum + cases.filter(isEngineCase).length, 0),
};

function isEngineCase({ kind }: Case): boolean {
  return kind === 'engine';
}
