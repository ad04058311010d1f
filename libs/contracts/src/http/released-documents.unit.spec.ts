import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { breakingChanges } from '../../test/breaking-changes.js';
import { openApiDocument } from './openapi.js';

const folder = join(import.meta.dirname, '../../../../openapi/released');
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const versions = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
const released = JSON.parse(read(versions.at(-1) ?? '')) as Record<string, unknown>;

/** Breaking changes that the next release makes on purpose, as the test names them; each is also in CHANGELOG.md. */
const announced: readonly string[] = [];

it('the document breaks nothing of the last release unannounced', () => {
  expect(breakingChanges(released, json(openApiDocument()))).toEqual(announced);
});

it('released documents are unchanged', () => {
  const sums = versions.map((name) => `${createHash('sha256').update(read(name)).digest('hex')}  ${name}`);
  expect(sums.sort()).toEqual(read('SHA256SUMS').trimEnd().split('\n').sort());
});

describe('a breaking change is found', () => {
  const schema = (name: string) => `components.schemas.${name}`;
  type Spoiled = Record<string, unknown>;
  const at = (document: Spoiled, path: string): Spoiled =>
    path.split('.').reduce((node, name) => node[name] as Spoiled, document);
  const operation = (document: Spoiled, path: string, method: string): Spoiled =>
    (document['paths'] as Record<string, Record<string, Spoiled>>)[path]?.[method] ?? {};

  it.each<[string, (document: Spoiled) => void, RegExp]>([
    ['a path that is gone', (d) => delete at(d, 'paths')['/api/v1/whoami'], /GET \/api\/v1\/whoami is gone/],
    [
      'a method that is gone',
      (d) => delete at(d, 'paths./api/v1/policies/{policy_id}')['delete'],
      /DELETE \/api\/v1\/policies\/\{policy_id\} is gone/,
    ],
    [
      'an answer that is gone',
      (d) => delete (operation(d, '/api/v1/actions', 'post')['responses'] as Spoiled)['202'],
      /POST \/api\/v1\/actions 202 is gone/,
    ],
    [
      'a member that a request must have',
      (d) => (at(d, schema('ActionSubmission'))['required'] as string[]).push('metadata'),
      /body\/metadata is required/,
    ],
    [
      'a member that a request may not have',
      (d) => delete at(d, `${schema('ActionSubmission')}.properties`)['timestamp'],
      /body\/timestamp is refused/,
    ],
    [
      'a shorter text in a request',
      (d) => (at(d, `${schema('ActionSubmission')}.properties.action_type`)['maxLength'] = 100),
      /action_type is narrower: maxLength 100/,
    ],
    [
      'a value that a request may not have',
      (d) => (at(d, `${schema('ApproveInput')}.properties.scope`)['enum'] = ['once']),
      /scope is narrower: once/,
    ],
    [
      'a member that an answer does not have',
      (d) => delete at(d, `${schema('ApprovalStatus')}.properties`)['timeout_at'],
      /timeout_at is gone/,
    ],
    [
      'a member that an answer may leave out',
      (d) => (at(d, schema('ApprovalStatus'))['required'] = ['status']),
      /approval_id may be missing/,
    ],
    [
      'a value that an answer may newly have',
      (d) => (at(d, `${schema('ApprovalStatus')}.properties.status`)['enum'] as string[]).push('lost'),
      /status may be a new value/,
    ],
  ])('%s', (_what, spoil, found) => {
    const spoiled = json(released);
    spoil(spoiled);
    expect(breakingChanges(released, spoiled).join('\n')).toMatch(found);
  });

  it('an addition is no breaking change', () => {
    const more = json(released);
    at(more, 'paths')['/api/v2/new'] = { get: { responses: {} } };
    at(more, `${schema('ActionSubmission')}.properties`)['hint'] = { type: 'string' };
    at(more, `${schema('ApprovalStatus')}.properties`)['hint'] = { type: 'string' };
    expect(breakingChanges(released, more)).toEqual([]);
  });

  it('a new value of a set that is marked as open is no breaking change', () => {
    const more = json(released);
    const status = at(more, `${schema('ApprovalStatus')}.properties.status`);
    (status['enum'] as string[]).push('lost');
    status['x-open-enum'] = true;
    expect(breakingChanges(released, more)).toEqual([]);
  });
});
