import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** The rooms that may not reach time, chance, disk or network except through the seams in shared/runtime. */
const seamRooms = [
  'broker/storage/**/*.ts',
  'broker/replication/**/*.ts',
  'broker/controller/**/*.ts',
  'broker/group/**/*.ts',
  'broker/transaction/**/*.ts',
  'broker/metadata/**/*.ts',
  'broker/delayed/**/*.ts',
  'client/**/*.ts',
];
const seamModules = [
  'fs',
  'fs/promises',
  'net',
  'tls',
  'http',
  'http2',
  'https',
  'worker_threads',
  'timers',
  'timers/promises',
  'child_process',
  'cluster',
  'dgram',
];
const seamGlobals = [
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
];
const seamProperties = [
  { object: 'Math', property: 'random' },
  { object: 'AbortSignal', property: 'timeout' },
  { object: 'crypto', property: 'randomBytes' },
  { object: 'crypto', property: 'randomUUID' },
  { object: 'crypto', property: 'randomInt' },
  { object: 'crypto', property: 'getRandomValues' },
];

export default tseslint.config(
  { ignores: ['node_modules/', '.tooling/', 'dist/', 'data/', 'test/fixtures/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allow: [{ name: ['bigint'], from: 'lib' }] },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-console': 'error',
    },
  },
  {
    files: seamRooms,
    rules: {
      'no-restricted-globals': [
        'error',
        ...seamGlobals.map(name => ({ name, message: 'Use the seam in shared/runtime (Clock, Timers).' })),
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...seamModules.flatMap(name => [
              { name, message: 'Use the seam in shared/runtime.' },
              { name: `node:${name}`, message: 'Use the seam in shared/runtime.' },
            ]),
            ...['crypto', 'node:crypto'].map(name => ({
              name,
              importNames: ['randomBytes', 'randomUUID', 'randomInt', 'getRandomValues', 'webcrypto'],
              message: 'Use Random from shared/runtime.',
            })),
          ],
        },
      ],
      'no-restricted-properties': [
        'error',
        ...seamProperties.map(p => ({ ...p, message: 'Use the seam in shared/runtime.' })),
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      'no-console': 'off',
    },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['broker/http/page/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        ['document', 'fetch', 'AbortController', 'TextDecoderStream', 'URLSearchParams'].map(name => [
          name,
          'readonly',
        ]),
      ),
    },
  },
);
