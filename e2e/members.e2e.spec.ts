import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { Browser } from './kit/browser.js';
import { EventSourceClient } from './kit/event-source.js';
import { addPerson, mailAddress } from './kit/people.js';

const password = 'a long password';

describe('members', () => {
  let stack: SharedStack;
  let admin: Api;
  let agent: Api;

  beforeAll(async () => {
    stack = await joinSharedStack();
    admin = adminOf(stack);
    agent = agentOf(stack);
  });
  afterAll(() => stack.leave());

  const patch = (id: string, body: unknown): Promise<Answer> =>
    admin.call('PATCH', `/api/v1/members/${id}`, { body });
  const remove = (id: string): Promise<Answer> => admin.call('DELETE', `/api/v1/members/${id}`);
  const votesOn = async (approvalId: string) =>
    (await admin.get(`/api/v1/approvals/${approvalId}`)).body['votes'] as { member_id: string }[];
  const typesOfLog = async () => {
    const { body } = await admin.get('/api/v1/audit?limit=200');
    return (body['events'] as { type: string }[]).map(({ type }) => type);
  };

  it('a role that is lowered takes the right to decide at once, and the votes that were cast by it', async () => {
    const { asksFor, requested } = approvalsOf(admin, agent);
    await asksFor('members.role', { approvals_required: 3 });
    const id = await requested('members.role');
    const voter = await addPerson(admin, { name: 'lowered', role: 'member' });
    // A later member cannot vote on an earlier request.
    const later = await requested('members.role');
    expect(await voter.api.post(`/api/v1/approvals/${later}/approve`, {})).toMatchObject({ status: 200 });
    expect(await votesOn(later)).toMatchObject([{ member_id: voter.id }]);
    expect(await patch(voter.id, { role: 'viewer' })).toMatchObject({
      status: 200,
      body: { role: 'viewer' },
    });
    expect((await voter.api.post(`/api/v1/approvals/${id}/approve`, {})).status).toBe(403);
    await eventually(async () => (await votesOn(later)).length === 0);
    await eventually(async () => {
      const types = await typesOfLog();
      return types.includes('member.updated') && types.includes('approval.vote_withdrawn');
    });
    // Two others complete it without that vote only with a third.
    expect(await patch(voter.id, { role: 'member' })).toMatchObject({ status: 200 });
    const again = await eventually(async () => {
      const answer = await voter.api.post(`/api/v1/approvals/${later}/approve`, {});
      return answer.status === 200 ? answer : undefined;
    });
    expect(again.body).toMatchObject({ status: 'pending', approvals: { have: 1, need: 3 } });
  });

  it('a member who is removed is gone everywhere: keys, sessions, live events and votes', async () => {
    const { asksFor, requested } = approvalsOf(admin, agent);
    await asksFor('members.gone', { approvals_required: 2 });
    const person = await addPerson(admin, { name: 'gone', role: 'member' });
    const credentials = { email: mailAddress('gone'), password };
    const browser = await Browser.on(stack).signedIn(credentials);
    const id = await requested('members.gone');
    expect((await person.api.post(`/api/v1/approvals/${id}/approve`, {})).status).toBe(200);
    const streams = [await browser.listen(), await keyStream(person.api)];
    const removed = await remove(person.id);
    expect(removed).toMatchObject({ status: 200, body: { id: person.id, removed: true, held_keys: [] } });
    expect((await person.api.get('/api/v1/whoami')).status).toBe(401);
    expect((await browser.get('/api/v1/session')).status).toBe(401);
    await eventually(() => streams.every(({ ended }) => ended));
    expect((await Browser.on(stack).signIn(credentials)).status).toBe(401);
    await eventually(async () => (await votesOn(id)).length === 0);
    // The request waits for two others.
    const decided = await admin.post(`/api/v1/approvals/${id}/approve`, {});
    expect(decided.body).toMatchObject({ status: 'pending', approvals: { have: 1, need: 2 } });
    await eventually(async () => {
      const types = await typesOfLog();
      return ['member.removed', 'key.revoked', 'session.revoked'].every((type) => types.includes(type));
    });
    expect((await patch(person.id, { name: 'x' })).status).toBe(404);
    const members = (await admin.get('/api/v1/members')).body['members'] as { id: string }[];
    expect(members.map((member) => member.id)).not.toContain(person.id);
    const again = await admin.post('/api/v1/members', {
      ...{ email: credentials.email, name: 'gone', role: 'member', password },
    });
    expect(again).toMatchObject({ status: 201, body: { status: 'invited' } });
    expect(again.body['id']).not.toBe(person.id);
  });

  async function keyStream(api: Api): Promise<EventSourceClient> {
    const made = await admin.post('/api/v1/keys', {
      ...{ name: 'stream', kind: 'operator', member_id: (await api.get('/api/v1/whoami')).body['config_id'] },
    });
    return EventSourceClient.open(stack.baseUrl, String(made.body['key']));
  }

  it('the last administrator stays', async () => {
    const me = (await admin.get('/api/v1/whoami')).body['config_id'];
    for (const answer of [await patch(String(me), { role: 'member' }), await remove(String(me))])
      expect(answer).toMatchObject({ status: 409, body: { error: 'LAST_ADMIN' } });
  });

  it('a change reaches the session of the member: the same page sees the new role', async () => {
    const made = await admin.post('/api/v1/members', {
      ...{ email: mailAddress('promoted'), name: 'P', role: 'viewer', password },
    });
    const browser = await Browser.on(stack).signedIn({ email: mailAddress('promoted'), password });
    expect((await browser.get('/api/v1/keys')).status).toBe(403);
    await patch(String(made.body['id']), { role: 'admin', groups: ['legal'] });
    expect((await browser.get('/api/v1/keys')).status).toBe(200);
    expect((await browser.get('/api/v1/session')).body['member']).toMatchObject({
      role: 'admin',
      groups: ['legal'],
    });
  });
});
