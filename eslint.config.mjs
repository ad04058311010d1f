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
  'libs/cli': ['contracts', 'ledger', 'mcp-server', 'sdk'],
  'libs/adapters': ['sdk'],
  'libs/sdk': [],
  'libs/mcp-server': ['contracts', 'sdk'],
  'tools/launcher': ['contracts'],
  'apps/dashboard': ['contracts'],
  'apps/!(dashboard)': [...pure, 'contracts', ...io],
  'apps/gateway': [...pure, 'contracts', ...io, 'mcp-server'],
  e2e: ['testkit', 'contracts', 'ledger', 'observability', 'sdk'],
};
const projects = ['apps', 'libs', 'tools']
  .flatMap((parent) => readdirSync(new URL(parent, import.meta.url), { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .join('|');
const onlyInSpecs = ['testkit', 'launcher', 'decider', 'messaging'];

const drivers = [
  '@nestjs/*',
  'fastify',
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
const frameworks = ['@nestjs/*', 'fastify', 'ws', 'rxjs', 'rxjs/*'];

/** Packages without I/O, clock and random numbers. A pure core imports no other package. */
const purePackages = ['zod', 're2js', 'jsonc-parser', 'canonicalize', '@marcbachmann/cel-js', 'node:crypto'];
const pureFolders = [
  ['apps/*/src/domain/**/*.ts', [...pure, 'contracts']],
  ['libs/ledger/src/**/*.ts', []],
  ['libs/decider/src/**/*.ts', []],
  ['libs/quorum/src/**/*.ts', []],
];
const pureImports = [
  {
    regex: String.raw`^(?!\./|@agentlattice/|(${purePackages.join('|')})$)`,
    message: 'A pure core imports only its own folder and packages without I/O (purePackages).',
  },
  {
    group: ['node:crypto'],
    allowImportNames: ['hash', 'createHash', 'createPublicKey', 'KeyObject', 'sign', 'verify'],
    message: 'Keys and random numbers come in with the command.',
  },
];
const clockAndRandom = [
  { object: 'Date', property: 'now', message: 'Time comes in with the command.' },
  { object: 'Math', property: 'random', message: 'Random numbers come in with the command.' },
];
const impureGlobals = [
  'process',
  'performance',
  'crypto',
  'fetch',
  'globalThis',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
].map((name) => ({ name, message: 'A pure core has no I/O, no clock and no timers.' }));
const noClock = ['NewExpression[arguments.length=0]', 'CallExpression'].map((call) => ({
  selector: `${call}[callee.name='Date']`,
  message: 'Time comes in with the command.',
}));

/** The borders between the layers of a service (docs/architecture.md). */
const sqlText = [
  String.raw`/^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|LISTEN|NOTIFY|LOCK|ALTER|CREATE|TRUNCATE|MERGE INTO) /`,
  String.raw`/^\s*(select|insert into|update \w+ set|delete from|with \w+ as|truncate)\s/i`,
];
const noSql = sqlText.flatMap((text) => [
  { selector: `Literal[value=${text}]`, message: 'SQL lives in outbound/ or read/.' },
  { selector: `TemplateElement[value.raw=${text}]`, message: 'SQL lives in outbound/ or read/.' },
]);
/** ESLint checks the names of static imports only. */
const noDynamicImport = [{ selector: 'ImportExpression', message: 'Import at the top of the file.' }];
const subscribing = ['startProjection', 'subscribeBatches', 'consumeEvents', 'respondTo'];
const noSubscriptions = [
  ...subscribing.flatMap((name) =>
    ['CallExpression[callee.name', 'ImportSpecifier[imported.name'].map((node) => ({
      selector: `${node}='${name}']`,
      message: 'Subscriptions live in inbound/.',
    })),
  ),
  ...['name', 'value'].map((key) => ({
    selector: `CallExpression[callee.property.${key}='subscribe']`,
    message: 'Subscriptions live in inbound/.',
  })),
];
const noFramework = { group: frameworks, message: 'Only inbound/ and modules know the framework.' };
const noModules = { group: ['**/*.module.js'], message: 'Only modules know other modules.' };
const noInbound = { group: ['**/inbound/**'], message: 'inbound/ calls application/, never the other way.' };
const noApplication = {
  group: ['**/application/**'],
  message: 'outbound/ and read/ do not know their callers: put the type where both can see it.',
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
    rules: {
      'max-lines': ['error', 300],
      'no-restricted-imports': importRule(mayImport['apps/!(dashboard)'], [
        noFramework,
        noModules,
        noInbound,
      ]),
      'no-restricted-syntax': ['error', ...noSql, ...noSubscriptions, ...noDynamicImport],
    },
  },
  {
    files: ['apps/*/src/outbound/**/*.ts', 'apps/*/src/read/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': importRule(mayImport['apps/!(dashboard)'], [
        noFramework,
        noModules,
        noInbound,
        noApplication,
      ]),
      'no-restricted-syntax': ['error', ...noSubscriptions, ...noDynamicImport],
    },
  },
  {
    files: ['apps/*/src/inbound/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...noSql] },
  },
  {
    files: ['apps/*/src/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...noSql, ...noSubscriptions] },
  },
  {
    files: ['libs/contracts/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': importRule(mayImport['libs/contracts'], [
        { group: drivers, message: 'Contracts import no framework and no driver.' },
      ]),
    },
  },
  // No framework, driver, clock or random number in a domain folder or a pure library.
  ...pureFolders.map(([files, names]) => ({
    files: [files],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': importRule(names, pureImports),
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': ['error', ...clockAndRandom],
      'no-restricted-syntax': ['error', ...noClock, ...noSql, ...noSubscriptions, ...noDynamicImport],
    },
  })),
);
