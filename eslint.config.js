import { readFileSync } from 'node:fs';
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Which folder may import which, and who owns which library: one table for these rules and test/architecture.test.ts.
const { layers, sideways, owners, processMembers } = JSON.parse(
  readFileSync(new URL('./test/support/layers.json', import.meta.url), 'utf8'),
);

export default defineConfig(
  globalIgnores(['dist', '.build-*', 'node_modules', 'var']),
  js.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // `== null` is the short way to say 'null or undefined'.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-param-reassign': 'error',
      'prefer-const': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only: a thing has one name everywhere.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of strings, or an array "as const".' },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      // What was caught, or is an AbortSignal's reason, is thrown on as it is, whatever its type; new errors are errors.
      'no-throw-literal': 'error',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
      // Interfaces of the house return promises even where one implementation has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
    },
  },
  layers.flat().map(importRules),
  processRules(),
  {
    files: ['test/**/*.ts'],
    rules: {
      // chai's assertions are expressions.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['src/http/assets/*.js'],
    languageOptions: {
      globals: { document: 'readonly', location: 'readonly', EventSource: 'readonly', confirm: 'readonly' },
    },
  },
);

/** What one folder of src (or one file at its top) must not import. */
function importRules(folder) {
  const rank = layers.findIndex((layer) => layer.includes(folder));
  const below = layers.slice(0, rank).flat();
  const allowed = new Set([...below, folder, ...(sideways[folder] ?? [])]);
  const forbidden = layers.flat().filter((name) => !allowed.has(name));
  const foreign = Object.keys(owners).filter((name) => owners[name] !== folder);
  return {
    files: [`src/${folder}/**/*.ts`, `src/${folder}.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(forbidden.length === 0
              ? []
              : [
                  {
                    regex: `^(?:\\.\\./)+(?:${forbidden.join('|')})(?:/|\\.js$)|^\\./(?:${forbidden.join('|')})/`,
                    message: `Imports run one way: ${folder} may only import ${[...allowed].join(', ')}.`,
                  },
                ]),
            ...foreign.map((name) => ({
              regex: `^${name}(?:/|$)`,
              message: `Only src/${owners[name]} uses ${name}.`,
            })),
          ],
        },
      ],
    },
  };
}

/** Parts of `process` that belong to one file each. A file's own part is free; the later entries take precedence. */
function processRules() {
  const members = Object.keys(processMembers);
  const rule = (property) => ({
    object: 'process',
    property,
    message: `Only ${processMembers[property]} uses process.${property}.`,
  });
  const homes = [...new Set(Object.values(processMembers))];
  return [
    { files: ['src/**/*.ts'], rules: { 'no-restricted-properties': ['error', ...members.map(rule)] } },
    ...homes.map((home) => ({
      files: [home],
      rules: {
        'no-restricted-properties': ['error', ...members.filter((name) => processMembers[name] !== home).map(rule)],
      },
    })),
  ];
}
