import boundaries from 'eslint-plugin-boundaries';
import tseslint from 'typescript-eslint';

// The table of docs/architecture.md: which kind of project may import which.
const elements = [
  { type: 'pure', pattern: 'libs/(ledger|decider)' },
  { type: 'contracts', pattern: 'libs/contracts' },
  { type: 'io', pattern: 'libs/(event-store|messaging|observability|service)' },
  { type: 'testkit', pattern: 'libs/testkit' },
  { type: 'tool', pattern: 'tools/launcher' },
  { type: 'app', pattern: 'apps/*', capture: ['app'] },
  { type: 'e2e', pattern: 'e2e' },
];

const impure = ['@nestjs/*', 'typeorm', 'pg', 'bullmq', 'ioredis', '@nats-io/*', 'pino', '@opentelemetry/*', 'rxjs', 'rxjs/*'];
const clockAndChance = [
  { object: 'Date', property: 'now', message: 'Time comes in with the command.' },
  { object: 'Math', property: 'random', message: 'Chance comes in with the command.' },
  { object: 'performance', property: 'now', message: 'Time comes in with the command.' },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', '.agentlattice/**', 'bench/**', '**/*.mjs', '**/*.cjs'] },
  ...tseslint.configs.strict,
  {
    files: ['**/*.ts'],
    plugins: { boundaries },
    settings: {
      'boundaries/elements': elements,
      'import/resolver': { node: { extensions: ['.ts', '.js'] } },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowEmpty: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 400, skipComments: true, skipBlankLines: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  { files: ['tools/launcher/**/*.ts', '**/*.spec.ts', 'libs/testkit/**/*.ts', 'e2e/**/*.ts'], rules: { 'no-console': 'off' } },
  // The core decides, the shell does: no framework, driver, clock or chance in a domain folder or a pure library.
  {
    files: ['apps/*/src/domain/**/*.ts', 'libs/ledger/src/**/*.ts', 'libs/decider/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: impure, message: 'A pure core imports no framework and no driver.' }] }],
      'no-restricted-properties': ['error', ...clockAndChance],
      'no-restricted-syntax': ['error', { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time comes in with the command.' }],
    },
  },
);
