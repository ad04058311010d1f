import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** A file with this text at this path. The rule is unique. */
type Source = readonly [rule: string, path: string, text: string];

/** Lints all texts in one process, because starting ESLint takes longer than linting them. */
const script = `
  import { ESLint } from 'eslint';
  import { text } from 'node:stream/consumers';
  const eslint = new ESLint();
  const faults = [];
  for (const [, filePath, source] of JSON.parse(await text(process.stdin))) {
    const [result] = await eslint.lintText(source, { filePath });
    faults.push(result.messages.map(({ ruleId, message }) => ruleId + ': ' + message).join('; '));
  }
  console.log(JSON.stringify(faults));
`;

const gateway = 'apps/gateway/src';
const refused: Source[] = [
  ['an app imports no other app', `${gateway}/x.ts`, "import '@agentlattice/notifier';"],
  ['nor by a path', `${gateway}/x.ts`, "import '../../notifier/src/main.js';"],
  ['nor a file inside a library', `${gateway}/x.ts`, "import '@agentlattice/contracts/dist/errors.js';"],
  ['an app does not import the test kit', `${gateway}/x.ts`, "import '@agentlattice/testkit';"],
  ['a pure library imports no library of I/O', 'libs/ledger/src/x.ts', "import '@agentlattice/messaging';"],
  ['contracts import no library of I/O', 'libs/contracts/src/x.ts', "import '@agentlattice/event-store';"],
  ['contracts import no driver', 'libs/contracts/src/x.ts', "import 'pg';"],

  ['domain/ imports no framework', `${gateway}/domain/x.ts`, "import '@nestjs/common';"],
  ['domain/ imports no HTTP', `${gateway}/domain/x.ts`, "import 'node:http';"],
  ['domain/ imports no HTTP client', `${gateway}/domain/x.ts`, "import 'got';"],
  ['domain/ reads no file', `${gateway}/domain/x.ts`, "import 'node:fs';"],
  ['domain/ sends no request', `${gateway}/domain/x.ts`, "export const x = fetch('http://x');"],
  ['domain/ imports no other layer', `${gateway}/domain/x.ts`, "import '../outbound/y.js';"],
  ['domain/ exports no other layer', `${gateway}/domain/x.ts`, "export * from '../outbound/y.js';"],
  ['domain/ imports no configuration', `${gateway}/domain/x.ts`, "import '../config.js';"],
  ['domain/ imports nothing at run time', `${gateway}/domain/x.ts`, "void import('../outbound/y.js');"],
  ['domain/ reads no clock', `${gateway}/domain/x.ts`, 'export const t = Date.now();'],
  ['nor by a new date', `${gateway}/domain/x.ts`, 'export const t = new Date();'],
  ['nor by the date as text', `${gateway}/domain/x.ts`, 'export const t = Date();'],
  ['nor by the global object', `${gateway}/domain/x.ts`, 'export const t = globalThis.Date.now();'],
  ['domain/ sets no timer', `${gateway}/domain/x.ts`, 'setTimeout(() => undefined, 1);'],
  ['domain/ reads no environment', `${gateway}/domain/x.ts`, "export const e = process.env['X'];"],
  ['domain/ makes no ids', `${gateway}/domain/x.ts`, "import 'typeid-js';"],
  ['domain/ makes no keys', `${gateway}/domain/x.ts`, "import { randomBytes } from 'node:crypto';"],
  ['a pure library draws no random number', 'libs/decider/src/x.ts', 'export const t = Math.random();'],

  ['application/ has no SQL', `${gateway}/application/x.ts`, "export const s = 'SELECT 1 FROM x';"],
  ['nor in lower case', `${gateway}/application/x.ts`, 'export const s = `\n  select 1 from x`;'],
  ['inbound/ has no SQL', `${gateway}/inbound/x.ts`, "export const s = 'DELETE FROM x';"],
  ['application/ imports no framework', `${gateway}/application/x.ts`, "import '@nestjs/common';"],
  ['application/ imports no inbound/', `${gateway}/application/x.ts`, "import '../inbound/y.js';"],
  [
    'application/ does not subscribe',
    `${gateway}/application/x.ts`,
    "import { consumeEvents as c } from '@agentlattice/messaging'; c();",
  ],
  ['outbound/ imports no application/', `${gateway}/outbound/x.ts`, "import '../application/y.js';"],
  ['read/ imports no application/', `${gateway}/read/x.ts`, "import type { Y } from '../application/y.js';"],
  [
    'outbound/ does not subscribe',
    `${gateway}/outbound/x.ts`,
    "export const s = (nc: N) => nc.subscribe('x');",
  ],
  [
    'nor by another notation',
    `${gateway}/outbound/x.ts`,
    "export const s = (nc: N) => nc['subscribe']('x');",
  ],
  ['a module does not subscribe', `${gateway}/x.module.ts`, 'startProjection();'],
  ['nor do other files beside it', `${gateway}/x.providers.ts`, 'startProjection();'],
];
const allowed: Source[] = [
  ['an app imports the libraries', `${gateway}/x.ts`, "import '@agentlattice/event-store';"],
  ['a spec imports the test kit', `${gateway}/x.int.spec.ts`, "import '@agentlattice/testkit';"],
  [
    'domain/ computes hashes',
    `${gateway}/domain/x.ts`,
    "import { hash } from 'node:crypto'; hash('sha256', '');",
  ],
  ['domain/ reads a given time', `${gateway}/domain/x.ts`, 'export const t = new Date(0);'],
  ['inbound/ subscribes', `${gateway}/inbound/x.ts`, "export const s = (nc: N) => nc.subscribe('x');"],
  ['outbound/ has SQL', `${gateway}/outbound/x.ts`, "export const s = 'SELECT 1 FROM x';"],
];

describe('the borders between projects and layers hold', () => {
  const faults = new Map<string, string>();
  const restricted = /no-restricted-(imports|properties|globals|syntax)/;

  beforeAll(() => {
    const sources = [...refused, ...allowed];
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      input: JSON.stringify(sources),
      encoding: 'utf8',
    });
    if (stdout === '') throw new Error(stderr);
    const results = JSON.parse(stdout) as string[];
    sources.forEach(([rule], index) => faults.set(rule, results[index] ?? ''));
    expect(faults.size).toBe(sources.length);
  });

  it.each(refused)('%s', (rule) => expect(faults.get(rule)).toMatch(restricted));
  it.each(allowed)('%s', (rule) => expect(faults.get(rule)).not.toMatch(restricted));
});
