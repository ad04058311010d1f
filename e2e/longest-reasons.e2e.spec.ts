import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Api } from './kit/api.js';

let stack: Stack;
let admin: Api;
let agent: Api;
beforeAll(async () => {
  stack = await startStack({});
  await stack.startServices();
  admin = adminOf(stack);
  agent = agentOf(stack);
});
afterAll(() => stack.stop());

/** The longest reason, which is six times as long as JSON. */
const worst = '\u0001'.repeat(2000);
const entries = async (query: string) =>
  ((await admin.get(`/api/v1/audit?${query}`)).body['events'] ?? []) as { type: string; reason: string }[];

it('the longest reasons reach the log, with many at once and while services are killed', async () => {
  await admin.policy({ name: 'words', action_type: 'words.said', effect: 'require_approval' });
  const ids: string[] = [];
  for (let round = 0; round < 16; round++) {
    const answers = await Promise.all(Array.from({ length: 25 }, () => agent.submit('words.said')));
    ids.push(...answers.map(({ body }) => String(body['approval_id'])));
  }
  // So that all of them wait for the ledger together.
  await stack.halt('audit-ledger');
  const cancelled = await Promise.all(
    ids.map((id) => agent.post(`/api/v1/approvals/${id}/cancel`, { reason: worst })),
  );
  expect(new Set(cancelled.map(({ status }) => status))).toEqual(new Set([200]));
  await stack.resume('audit-ledger');
  stack.kill('audit-ledger');
  stack.kill('approval-service');
  await stack.ready('audit-ledger');
  await stack.ready('approval-service');
  for (const id of [ids[0], ids[200], ids[399]])
    await eventually(
      async () =>
        (await entries(`approval_id=${String(id)}`)).find(({ type }) => type === 'approval.cancelled')
          ?.reason === worst,
      { within: 60_000 },
    );
  const { body } = await agent.submit('words.said');
  const id = String(body['approval_id']);
  expect((await admin.post(`/api/v1/approvals/${id}/approve`, {})).status).toBe(200);
  await eventually(
    async () => (await entries(`approval_id=${id}`)).some(({ type }) => type === 'approval.approved'),
    { within: 20_000 },
  );
  expect((await admin.get('/api/v1/audit/verify')).body['chain_valid']).toBe(true);
}, 180_000);
