// Writes the vectors beside this file, once: `node tools/build.mjs libs/ledger && node libs/ledger/testdata/make.mjs`.
// Salts and key are fixed and for tests only. What is there is left alone: released vectors never change.
import { createHash, createPrivateKey } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as ledger from '../dist/index.js';

const seed = createHash('sha256').update('agentlattice test key, never use it').digest();
const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
  format: 'der',
  type: 'pkcs8',
});
const id = (prefix, n) => `${prefix}_01jd7e5sqcfnmrq9yh4qvx${String(n).padStart(4, '0')}`;
const salt = (n, field) => createHash('sha256').update(`salt ${n} ${field}`).digest('hex').slice(0, 32);

const agent = { id: id('agt', 1), name: 'Déploy 🚀 "bot"\n' };
const policy = { id: id('pol', 1), name: 'Production', version: 3, hash: 'ab'.repeat(32) };
const operator = { id: id('mbr', 7), via: 'dashboard' };
const approval = id('apr', 9);
const own = (type, extra, values) => ({ source: 'audit-ledger', type, ...extra, values });

const drafts = [
  own('ledger.created', {}),
  { source: 'gateway', type: 'agent.registered', agent, operator: { id: id('key', 2), via: 'api' } },
  { source: 'policy-engine', type: 'policy.created', policy, operator, action_type: 'deploy.*' },
  own(
    'action.executed',
    { agent, action_type: 'mail.send', decision: 'executed', policy },
    {
      metadata: { to: 'ann@example.org', pr_size: 12, ratio: 0.5, 10: 'b', 9: 'a' },
      data_accessed: [{ name: 'crm', rows: 4 }],
    },
  ),
  own(
    'action.requested',
    { agent, action_type: 'deploy.production', decision: 'requested', policy, approval_id: approval },
    { metadata: { change: { count: 3 }, emoji: '\u20ac$\u000f\nA\'B"\\\\"/' }, data_accessed: [] },
  ),
  {
    source: 'approval-service',
    type: 'approval.opened',
    agent,
    action_type: 'deploy.production',
    policy,
    approval_id: approval,
  },
  {
    source: 'approval-service',
    type: 'approval.escalated',
    agent,
    decision: 'escalated',
    approval_id: approval,
    policy,
    action_type: 'deploy.production',
    values: { note: 'nobody answered for 10m' },
  },
  {
    source: 'approval-service',
    type: 'approval.approved',
    agent,
    operator,
    decision: 'approved',
    resolved_by: operator.id,
    approval_id: approval,
    policy,
    action_type: 'deploy.production',
    values: { reason: 'Looks good to me' },
  },
  own(
    'action.denied',
    { agent, action_type: 'db.drop', decision: 'denied' },
    { metadata: {}, data_accessed: [] },
  ),
  { source: 'gateway', type: 'member.created', operator },
  { source: 'notifier', type: 'delivery.dead', approval_id: approval },
  own('privacy.erased', { operator }),
  own('ledger.key_rotated', {}),
];

/** Added later: everything that happens to a request that people vote on, and how the action went. */
const about = { agent, policy, approval_id: approval, action_type: 'deploy.production' };
const second = { id: id('mbr', 8), via: 'cli' };
const approvals = (type, extra, values) => ({ source: 'approval-service', type, ...about, ...extra, values });
const decisions = [
  own('ledger.created', {}),
  own(
    'action.requested',
    { ...about, decision: 'requested' },
    { metadata: { version: '1.4.2' }, data_accessed: [] },
  ),
  approvals('approval.opened', {}),
  approvals('approval.vote_cast', { operator }, { reason: 'Fine by me \u202e' }),
  approvals('approval.vote_withdrawn', { operator }),
  approvals(
    'approval.policy_changed',
    { policy: { ...policy, version: 4 } },
    { note: 'Production was changed (version 4)' },
  ),
  approvals('approval.vote_cast', { operator }, { reason: 'Still fine' }),
  approvals(
    'approval.approved',
    { operator: second, decision: 'approved', resolved_by: second.id },
    { reason: 'Ship it' },
  ),
  own('action.reported', about, {
    metadata: { audit_event_id: id('evt', 1), metadata: { seconds: 4.2 }, status: 'partial' },
    note: 'One host of three is down',
  }),
  approvals(
    'approval.cancelled',
    { approval_id: id('apr', 10), decision: 'cancelled' },
    { reason: 'no longer needed' },
  ),
  approvals(
    'approval.denied',
    { approval_id: id('apr', 11), decision: 'denied' },
    { note: 'Production denies now' },
  ),
];

/** Added later, with version 2 of entries: agents that act for others. */
const root = { id: id('agt', 20), name: 'builder' };
const reader = { id: id('agt', 21), name: 'réader 🚀' };
const lister = { id: id('agt', 22), name: 'lister' };
const underReader = { agent: reader, delegation: { id: id('del', 1), chain: [root, reader] } };
const underLister = { agent: lister, delegation: { id: id('del', 2), chain: [root, reader, lister] } };
const engine = (type, extra) => ({ source: 'policy-engine', type, ...extra });
const delegations = [
  own('ledger.created', {}),
  engine('delegation.created', underReader),
  engine('delegation.created', underLister),
  own(
    'action.executed',
    { ...underLister, action_type: 'db.read', decision: 'executed', policy },
    { metadata: { table: 'orders' }, data_accessed: [] },
  ),
  engine('delegation.revoked', underLister),
  own(
    'action.denied',
    { ...underLister, action_type: 'db.read', decision: 'denied' },
    { metadata: {}, data_accessed: [] },
  ),
  engine('delegation.expired', underReader),
];

const base64 = (hashes) => hashes.map((h) => h.toString('base64'));

/** Makes the vectors of one log in a folder; the values of the entry numbered `erased` are not disclosed. */
function makeVectors(folder, org, drafts, { erased, earlier }) {
  const log = `agentlattice.test/log/${org}`;
  const target = (name) => fileURLToPath(new URL(`${folder}${name}`, import.meta.url));
  if (existsSync(target('log.ndjson'))) return;
  mkdirSync(target(''), { recursive: true });
  const sequence = new Map();
  const disclosed = {};
  const leaves = [];
  const lines = [];
  let head = ledger.emptyChain(log);
  for (const [n, { values = {}, ...draft }] of drafts.entries()) {
    const seq = (sequence.get(draft.source) ?? 0) + 1;
    sequence.set(draft.source, seq);
    const entryId = id('evt', n);
    const commitments = {};
    for (const [field, value] of Object.entries(values)) {
      const content = { salt: salt(n, field), value: ledger.canonicalJson(value) };
      commitments[field] = ledger.commit(field, content.salt, content.value);
      (disclosed[entryId] ??= {})[field] = content;
    }
    const chained = ledger.chainEntry(head, {
    action_type: null, agent: null, operator: null, decision: null, resolved_by: null, policy: null, approval_id: null,
    ...draft,
    id: entryId,
    time: `2026-03-01T12:00:${String(n).padStart(2, '0')}.00${n % 10}Z`,
    source_seq: seq,
    org_id: org,
    correlation_id: n === 0 ? null : id('req', n),
    private: commitments,
  }); // prettier-ignore
    head = chained.head;
    leaves.push(chained.leaf);
    lines.push(chained.text);
  }
  // What was erased stays provable: the values of one entry are not disclosed.
  delete disclosed[id('evt', erased)];

  const signer = ledger.noteSigner(log, key);
  const note = (size) =>
    signer.sign(
      ledger.formatCheckpoint({ origin: log, size, root: ledger.rootOfLeaves(leaves.slice(0, size)) }),
    );
  const size = leaves.length;
  const write = (name, text) => writeFileSync(target(name), text, { flag: 'wx' });

  write('log.ndjson', lines.map((line) => `${line}\n`).join(''));
  write('disclosed.json', `${JSON.stringify(disclosed, null, 2)}\n`);
  write('key.txt', `${signer.verifierKey}\n`);
  write('checkpoint.txt', note(size));
  if (earlier !== undefined) write(`checkpoint-${earlier}.txt`, note(earlier));
  write(
    'tree.json',
    `${JSON.stringify(
      {
        leaf_hashes: leaves.map((leaf) => leaf.toString('hex')),
        roots: Array.from({ length: size + 1 }, (_, n) =>
          ledger.rootOfLeaves(leaves.slice(0, n)).toString('base64'),
        ),
        inclusion: leaves.map((leaf, index) => ({
          index,
          size,
          hashes: base64(ledger.inclusionProof(leaves, index, size)),
        })),
        consistency: leaves.map((_, n) => ({
          from: n + 1,
          to: size,
          hashes: base64(ledger.consistencyProof(leaves, n + 1, size)),
        })),
      },
      null,
      2,
    )}\n`,
  );
}

makeVectors('./', 'org_01jd7e5sqcfnmrq9yh4qvxw2k3', drafts, { erased: 8, earlier: 7 });
makeVectors('./decisions/', 'org_01jd7e5sqcfnmrq9yh4qvxw2k4', decisions, { erased: 6 });
makeVectors('./delegations/', 'org_01jd7e5sqcfnmrq9yh4qvxw2k5', delegations, { erased: 5 });
