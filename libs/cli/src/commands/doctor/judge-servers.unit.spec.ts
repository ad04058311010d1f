import { noStyle } from '../../render/style.js';
import { checkText } from './doctor.js';
import {
  clock,
  filesToJudge,
  judgeFiles,
  judgeNats,
  judgePostgres,
  judgeRedis,
  type NatsFacts,
  type PostgresFacts,
  type RedisFacts,
} from './judge-servers.js';

const role = { name: 'al_gateway', superuser: false, createrole: false, createdb: false, bypassrls: false };
const postgres: PostgresFacts = {
  version: '18.1',
  ...{ fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' },
  ...{ roles: [role], isSuperuser: true, isOfService: false, clockMs: 20 },
};
const nats: NatsFacts = {
  version: '2.12.0',
  jetstream: true,
  stream: { storage: 'file', replicas: 1, offline: 0 },
  syncInterval: null,
  clustered: false,
};
const redis: RedisFacts = {
  version: '8.0',
  maxmemoryPolicy: 'noeviction',
  appendonly: true,
  lastWriteFailed: false,
};

it('servers that are set up well have nothing to do', () => {
  const files = [{ name: 'keys/a.pem', mode: 0o600 }];
  const all = [
    ...judgePostgres('p', postgres),
    ...judgeNats('n', nats),
    ...judgeRedis('r', redis),
    ...judgeFiles('f', files),
  ];
  expect(all.filter(({ status }) => status !== 'ok')).toEqual([]);
});

it.each<[string, Partial<PostgresFacts>, 'failed' | 'warning', string]>([
  ['fsync off', { fsync: 'off' }, 'failed', 'a power cut loses'],
  ['commits that do not wait', { synchronous_commit: 'off' }, 'failed', 'a power cut loses'],
  [
    'commits that wait for the other server alone',
    { synchronous_commit: 'local' },
    'failed',
    'a power cut loses',
  ],
  ['no full pages', { full_page_writes: 'off' }, 'failed', 'half written'],
  [
    'a role with too many rights',
    { roles: [role, { ...role, name: 'al_notifier', superuser: true }] },
    'failed',
    'al_notifier',
  ],
  ['a service that is a superuser', { isOfService: true }, 'failed', 'superuser'],
  ['one credential for all', { roles: [] }, 'warning', 'share one credential'],
  ['another clock', { clockMs: -9_000 }, 'warning', '9 s behind'],
  ['quite another clock', { clockMs: 90_000 }, 'failed', '90 s ahead'],
])('PostgreSQL with %s is found', (_, change, status, text) => {
  const found = judgePostgres('p', { ...postgres, ...change }).filter((check) => check.status !== 'ok');
  expect(found).toEqual([
    {
      part: 'p',
      status,
      text: expect.stringContaining(text) as string,
      remedy: expect.stringMatching(/../) as string,
    },
  ]);
});

it.each<[string, Partial<NatsFacts>, string]>([
  ['without JetStream', { jetstream: false }, 'failed'],
  ['without the stream', { stream: null }, 'failed'],
  ['with the stream in memory', { stream: { storage: 'memory', replicas: 1, offline: 0 } }, 'failed'],
  ['with a replica that is behind', { stream: { storage: 'file', replicas: 3, offline: 1 } }, 'failed'],
  ['with one replica in a cluster', { clustered: true }, 'warning'],
])('NATS %s is found', (_, change, status) => {
  const found = judgeNats('n', { ...nats, ...change }).filter((check) => check.status !== 'ok');
  expect(found.map((check) => check.status)).toEqual([status]);
});

it.each<[string, Partial<RedisFacts>, string]>([
  ['that evicts', { maxmemoryPolicy: 'allkeys-lru' }, 'failed'],
  ['that does not say whether it evicts', { maxmemoryPolicy: null }, 'warning'],
  ['without a file', { appendonly: false }, 'warning'],
  ['with a broken disk', { lastWriteFailed: true }, 'failed'],
])('Redis %s is found', (_, change, status) => {
  const found = judgeRedis('r', { ...redis, ...change }).filter((check) => check.status !== 'ok');
  expect(found.map((check) => check.status)).toEqual([status]);
});

it('keys that are missing or that others can read are named', () => {
  const found = judgeFiles('f', [
    { name: 'keys/a.pem', mode: null },
    { name: 'keys/b.pem', mode: 0o640 },
    { name: 'keys/c.pem', mode: 0o600 },
  ]);
  expect(found.map(({ status, text }) => [status, text])).toEqual([
    ['failed', 'Missing: keys/a.pem.'],
    ['failed', 'Other users of this machine can read keys/b.pem.'],
  ]);
});

it('a folder of keys that was given may be that of one service and be read by its group', () => {
  const ledger = ['audit-ledger-checkpoints.pem', 'audit-ledger-grants.pem'];
  expect(filesToJudge(['audit-ledger-grants.pem', 'audit-ledger-grants.old.pem', 'x'], true)).toEqual([
    ...ledger,
    'audit-ledger-grants.old.pem',
  ]);
  expect(filesToJudge([], true)).toEqual([...ledger, 'approval-service-grants.pem']);
  expect(filesToJudge(ledger, false)).toEqual([...ledger, 'approval-service-grants.pem']);
  const status = (mode: number, isGiven: boolean) =>
    judgeFiles('f', [{ name: 'a.pem', mode }], isGiven).map((check) => check.status);
  expect([status(0o440, true), status(0o444, true), status(0o440, false)]).toEqual([
    ['ok'],
    ['failed'],
    ['failed'],
  ]);
});

it('a finding says what to do', () => {
  expect(checkText(clock('clock', 9_000, 'the system'), noStyle)).toBe(
    [
      'warning  clock      The clock of the system is 9 s ahead of the one here.',
      '                    → Set both by NTP (chrony, systemd-timesyncd): grants expire by the clock of the system and are checked by the one here.',
    ].join('\n'),
  );
});
