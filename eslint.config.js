import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', '.reveille/', 'coverage/', '**/*.cjs'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    rules: {
      // TypeScript checks the names of plain modules too, and knows Node's globals.
      'no-undef': 'off',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 15],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    // Describe blocks hold many short tests, the manifest many services; their length says nothing about them.
    files: ['tests/**', 'bench/**', 'services-manifest.ts'],
    rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['tests/**'],
    ignores: ['tests/support/until.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...[
          { object: 'vi', property: 'waitUntil' },
          { object: 'vi', property: 'waitFor' },
          { object: 'expect', property: 'poll' },
        ].map((each) => ({ ...each, message: 'It gives up after a second: wait with tests/support/until.ts.' })),
      ],
    },
  },
);
