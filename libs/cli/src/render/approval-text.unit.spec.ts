import { sampleApproval } from '../../test/sample-approval.js';
import { approvalsText, approvalText, decidedText } from './approval-text.js';
import { changesText, waitingText } from './gate-text.js';

const now = Date.parse('2026-11-25T10:05:00.000Z');
/** Control characters, except our line feeds. */
const unsafe = /[\p{Cc}\p{Cf}]/u;
const isSafe = (text: string) => expect(text.replaceAll('\n', '')).not.toMatch(unsafe);

it('shows the queue in a table, without control characters', () => {
  const text = approvalsText([sampleApproval()], 200, now);
  expect(text.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['ID', 'ACTION', 'AGENT', 'POLICY', 'AGE', 'TIME LEFT'],
    [
      'apr_01jd7e5sqcfnmrq9yh4qvxw2k3',
      'deploy.production',
      'bot\\x1b[2K\\u{202e}',
      'Production',
      '5m',
      '25m',
    ],
  ]);
  isSafe(text);
});

it('shows the status of decided requests', () => {
  const [head, row] = approvalsText([sampleApproval({ status: 'denied' })], 200, now).split('\n');
  expect(head).toMatch(/STATUS +AGE +TIME LEFT$/);
  expect(row).toMatch(/denied +5m +–$/);
});

it('shows everything that a person needs to decide', () => {
  const text = approvalText(sampleApproval());
  for (const part of [
    'Agent     bot\\x1b[2K\\u{202e} (agt_01jd7e5sqcfnmrq9yh4qvxw2k3)',
    'Votes     1 of 3 approvals, 0 of 1 denials',
    'Needed    2 people, among them 1 of release-managers',
    '  service: "check\\u202eout"',
    '  note: "line\\nbreak"',
    '  odd\\x07key: [1,{"two":true}]',
    '  {"table":"users"}',
    '  fails  pr_size lte 100',
    'vote_cast  by Ada\\x1b[2J Novak via dashboard  “fine\\x1b[1A”',
  ])
    expect(text).toContain(part);
  isSafe(text);
});

it('says when it leaves something out', () => {
  const text = approvalText(sampleApproval({ metadata: { long: 'x'.repeat(2_000) } }));
  expect(text).toContain('… (cut)');
  expect(text).toContain('--json shows it');
});

it('names the person who decided, or the votes that are missing', () => {
  expect(decidedText(sampleApproval({ status: 'timed_out' }))).toContain(
    ': timed_out: deploy.production of bot',
  );
  const resolved_by = 'mbr_01jd7e5sqcfnmrq9yh4qvxw2k3';
  expect(
    decidedText(sampleApproval({ status: 'approved', resolved_by, resolved_by_name: 'Ada Novak' })),
  ).toContain(`: approved by Ada Novak: deploy.production of bot`);
  expect(decidedText(sampleApproval({ status: 'approved', resolved_by }))).toContain(
    `: approved by ${resolved_by}: deploy`,
  );
  const { approvals, denials, seats_open, approval_id } = sampleApproval();
  expect(decidedText({ status: 'pending', approval_id, approvals, denials, seats_open })).toContain(
    '1 of 3 approvals, 0 of 1 denials; still needed: 2 people, among them 1 of release-managers',
  );
});

it('explains how to decide, also when it may not see the request', () => {
  const { approval_id, timeout_at } = sampleApproval();
  const text = waitingText(approval_id, timeout_at, sampleApproval());
  expect(text).toContain('2 people, among them 1 of release-managers; policy Production');
  expect(waitingText(approval_id, timeout_at, null)).toContain(`al approvals approve ${approval_id}`);
});

it('names the values that are hidden, as they look like secrets', () => {
  const text = approvalText(
    sampleApproval({ metadata: { api_token: null }, masked: ['/metadata/api_token\u202e'] }),
  );
  expect(text).toMatch(/Hidden +\/metadata\/api_token.*\(looks like a secret\)/);
  expect(text).not.toContain('\u202e');
  expect(approvalText(sampleApproval({ masked: [] }))).not.toContain('Hidden');
});

describe('while a gate waits', () => {
  const vote = {
    ...{
      member_id: 'mbr_01jd7e5sqcfnmrq9yh4qvxw2k3',
      member_name: 'Ada Novak',
      decision: 'approve' as const,
    },
    ...{ groups: ['legal'], reason: 'Fine', at: '2026-11-25T10:05:00.000Z', key: null, counts: true },
  };
  const before = sampleApproval({ approvals: { have: 0, need: 2 } });
  const after = sampleApproval({ approvals: { have: 1, need: 2 }, votes: [vote] });

  it('votes are told by name, once, and so are those that are withdrawn', () => {
    expect(changesText(before, after)).toEqual(['approved by Ada Novak of legal: “Fine” (1 of 2 approvals)']);
    expect(changesText(after, after)).toEqual([]);
    expect(changesText(after, before)).toEqual(['vote withdrawn by Ada Novak (0 of 2 approvals)']);
    expect(changesText(null, after)).toHaveLength(1);
  });

  it.each([
    [{ count: 0, members: [] }, 'asked: nobody can decide it as things stand'],
    [{ count: 1, members: [{ id: 'mbr_1', name: 'Ada Novak' }] }, 'asked: Ada Novak\n'],
    [{ count: 4, members: [{ id: 'mbr_1', name: 'Ada\u001b[2J' }] }, 'asked: Ada\\x1b[2J and 3 others'],
    [{ count: 1, members: [{ id: 'mbr_1', name: 'the system' }] }, 'asked: “the system” (mbr_1)'],
  ])('it is said who is asked: %j', (asked, text) => {
    const { approval_id, timeout_at } = before;
    expect(waitingText(approval_id, timeout_at, sampleApproval({ asked }))).toContain(text);
  });
});
