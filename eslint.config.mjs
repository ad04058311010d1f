import { readdirSync } from 'node:fs';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

// Which project may import which (docs/architecture.md). What is not named here may not be imported.
const pure = ['decider', 'ledger', 'quorum'];
const io = ['event-store', 'messaging', 'observability', 'service'];
const mayImport = {
  'libs/decider': [],
  'libs/ledger': [],
  'libs/quorum': [],
  'libs/contracts': ['decider'],
  'libs/observability': ['contracts'],
  'libs/messaging': ['contracts', 'observability'],
  'libs/event-store': ['contracts', 'decider', 'messaging', 'observability'],
  'libs/service': ['contracts', 'event-store', 'messaging', 'observability'],
  'libs/testkit': ['contracts', 'launcher'],
  'libs/cli': ['contracts', 'sdk'],
  'libs/sdk': [],
  'tools/launcher': ['contracts'],
  'apps/dashboard': ['contracts'],
  'apps/!(dashboard)': [...pure, 'contracts', ...io],
  e2e: ['testkit', 'contracts', 'ledger', 'sdk'],
};
const projects = ['apps', 'libs', 'tools']
  .flatMap((parent) => readdirSync(new URL(parent, import.meta.url), { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .join('|');
const onlyInSpecs = ['testkit', 'launcher', 'decider', 'messaging'];

const impure = [
  '@nestjs/*',
  'typeorm',
  'pg',
  'bullmq',
  'ioredis',
  '@nats-io/*',
  'pino',
  '@opentelemetry/*',
  'rxjs',
  'rxjs/*',
];
const clockAndChance = [
  { object: 'Date', property: 'now', message: 'Time comes in with the command.' },
  { object: 'Math', property: 'random', message: 'Chance comes in with the command.' },
  { object: 'performance', property: 'now', message: 'Time comes in with the command.' },
];

const pureFolders = [
  ['apps/*/src/domain/**/*.ts', [...pure, 'contracts']],
  ['libs/ledger/src/**/*.ts', []],
  ['libs/decider/src/**/*.ts', []],
  ['libs/quorum/src/**/*.ts', []],
];

/** Where the layers of a service end (docs/architecture.md). */
const sqlText = String.raw`/^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|LISTEN|NOTIFY|LOCK|ALTER|CREATE) /`;
const noSql = [
  { selector: `Literal[value=${sqlText}]`, message: 'SQL lives in outbound/ or read/.' },
  { selector: `TemplateElement[value.raw=${sqlText}]`, message: 'SQL lives in outbound/ or read/.' },
];
const subscribing = ['startProjection', 'subscribeBatches', 'consumeEvents', 'respondTo'];
const noSubscriptions = [
  ...subscribing.map((name) => ({
    selector: `CallExpression[callee.name='${name}']`,
    message: 'Subscriptions live in inbound/.',
  })),
  {
    selector: "CallExpression[callee.property.name='subscribe']",
    message: 'Subscriptions live in inbound/.',
  },
];
const noApplication = {
  group: ['**/application/**', '**/inbound/**'],
  message: 'What the application uses does not know it: put the type where both can see it.',
};

/** The dashboard shows texts of agents: nothing becomes markup, and no script is made of text. */
const noMarkup = [
  { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: 'Texts are text nodes.' },
  {
    selector: 'AssignmentExpression[left.property.name=/^(innerHTML|outerHTML)$/]',
    message: 'Texts are text nodes.',
  },
];
const typesOfContractsOnly = {
  group: ['@agentlattice/contracts'],
  allowTypeImports: true,
  message: 'Only types: import type.',
};

/** Only these projects, only by their public door, and no way around it by a relative path. */
function importRule(names, more = []) {
  return [
    'error',
    {
      patterns: [
        {
          group: ['@agentlattice/*', ...new Set(names.map((name) => `!@agentlattice/${name}`))],
          message: 'This kind of project may not import that one (see mayImport in eslint.config.mjs).',
        },
        { group: ['@agentlattice/*/**'], message: 'Import a project by its name, not a file inside of it.' },
        {
          regex: String.raw`^\.\./(\.\./)*(${projects})/`,
          message: 'Import another project by its name, not by a path.',
        },
        ...more,
      ],
    },
  ];
}

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '.nx/**',
      '.agentlattice/**',
      'bench/**',
      '**/*.mjs',
      '**/*.cjs',
    ],
  },
  ...tseslint.configs.strict,
  {
    files: ['**/*.ts', '**/*.tsx'],
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
  {
    files: ['tools/launcher/**/*.ts', '**/*.spec.ts', 'libs/testkit/**/*.ts', 'e2e/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  ...Object.entries(mayImport).flatMap(([project, names]) => [
    {
      files: [`${project}/**/*.ts`, `${project}/**/*.tsx`],
      rules: { 'no-restricted-imports': importRule(names) },
    },
    {
      files: [`${project}/**/*.spec.ts`, `${project}/test/**/*.ts`],
      rules: { 'no-restricted-imports': importRule([...names, ...onlyInSpecs]) },
    },
  ]),
  {
    files: ['apps/dashboard/**/*.ts', 'apps/dashboard/**/*.tsx'],
    plugins: { 'react-hooks': reactHooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      'no-restricted-syntax': ['error', ...noMarkup],
    },
  },
  {
    // The runtime of the contracts (every schema of the system) is not sent to browsers.
    files: ['apps/dashboard/src/**/*.ts', 'apps/dashboard/src/**/*.tsx'],
    ignores: ['**/*.spec.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [typesOfContractsOnly] }] },
  },
  {
    files: ['apps/*/src/application/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...noSql, ...noSubscriptions] },
  },
  {
    files: ['apps/*/src/outbound/**/*.ts', 'apps/*/src/read/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': importRule(mayImport['apps/!(dashboard)'], [noApplication]),
      'no-restricted-syntax': ['error', ...noSubscriptions],
    },
  },
  {
    files: ['apps/*/src/*.module.ts'],
    rules: { 'no-restricted-syntax': ['error', ...noSubscriptions] },
  },
  // The core decides, the shell does: no framework, driver, clock or chance in a domain folder or a pure library.
  ...pureFolders.map(([files, names]) => ({
    files: [files],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': importRule(names, [
        { group: impure, message: 'A pure core imports no framework and no driver.' },
        {
          group: ['**/application/**', '**/inbound/**', '**/outbound/**', '**/read/**'],
          message: 'The core knows nothing of its shell.',
        },
      ]),
      'no-restricted-properties': ['error', ...clockAndChance],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Time comes in with the command.',
        },
      ],
    },
  })),
);
