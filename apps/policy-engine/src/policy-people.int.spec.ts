import { type Actor, policyEngineCommands as commands } from '@agentlattice/contracts';
import { eventually, type FakeEventSource, fakeEventSource } from '@agentlattice/testkit';
import { typeid } from 'typeid-js';
import { change, newOrg, submission } from '../test/engine-fixture.js';
import { type EngineHarness, startEngineHarness } from '../test/engine-harness.js';
import { content } from '../test/policy-fixture.js';

let harness: EngineHarness;
let gateway: FakeEventSource;
beforeAll(async () => {
  harness = await startEngineHarness();
  gateway = await fakeEventSource(harness.f.gateway, 'gateway');
});
afterAll(() => harness.stop());

const newMember = () => typeid('mbr').toString();
async function join(org_id: string, role: 'admin' | 'member', groups: string[] = []): Promise<string> {
  const member_id = newMember();
  const data = { member_id, role, groups };
  await gateway.emit({ org_id, stream_id: member_id, type: 'member.created', data });
  return member_id;
}
const serviceKey: Actor = { kind: 'service', id: null, key_id: typeid('key').toString(), via: 'api' };
interface By {
  readonly actor?: Actor;
  readonly written_by?: string;
  readonly key_holders?: string[];
}
const create = (org: string, members: Record<string, unknown>, by: By = {}) =>
  harness.f.client.request(commands.create_policy, { ...change(org), ...by, policy: content(members) });
const update = (org: string, policy_id: string, patch: object, by: By = {}) =>
  harness.f.client.request(commands.update_policy, {
    ...change(org),
    ...by,
    policy_id,
    patch,
    expected_version: null,
  });

const termsIn = async (org: string) => {
  const item = submission(org);
  harness.f.submit(item);
  return (await eventually(() => harness.f.appended.get(item.item_id))).verdict.terms;
};

describe('the author of a version', () => {
  const authorOf = async (org: string) => {
    const terms = await termsIn(org);
    return terms !== null && 'policy_author' in terms ? terms.policy_author : 'unknown';
  };
  /** Either replica may judge. */
  const isKnown = (org: string, author: string | null) =>
    eventually(async () => (await authorOf(org)) === author);

  it('is the person, or the maker of the key that wrote it; none when unknown', async () => {
    const org = newOrg();
    const maker = newMember();
    const { id } = await create(org, {}, { actor: serviceKey, written_by: maker });
    await isKnown(org, maker);
    await update(org, id, { timeout: '1h' });
    await isKnown(org, 'mbr_x');
    await update(org, id, { timeout: '2h' }, { actor: serviceKey });
    await isKnown(org, 'unknown');
    const system: Actor = { kind: 'system', id: null, key_id: null, via: 'system' };
    await update(org, id, { timeout: '3h' }, { actor: system });
    await isKnown(org, null);
    await update(org, id, { timeout: '4h' }, { actor: serviceKey, written_by: maker });
    await isKnown(org, maker);
    // The log names the key, as before.
    const { versions } = await harness.f.versions(org, id);
    expect([versions[0]?.actor, versions.at(-1)?.actor]).toEqual([serviceKey, serviceKey]);
  });
});

describe('the possible authors of a version', () => {
  const areKnown = (org: string, ...authors: string[]) =>
    eventually(async () => {
      const terms = await termsIn(org);
      const found = [...(terms?.policy_authors ?? ['missing'])].sort();
      return JSON.stringify(found) === JSON.stringify([...authors].sort());
    });

  it('are all holders of the key that wrote it, a service’s or an operator’s; none when unknown', async () => {
    const org = newOrg();
    const [maker, shown] = [newMember(), newMember()];
    const { id } = await create(
      org,
      {},
      { actor: serviceKey, written_by: maker, key_holders: [maker, shown] },
    );
    await areKnown(org, maker, shown);
    await update(org, id, { timeout: '1h' }, { key_holders: [shown] });
    await areKnown(org, 'mbr_x', shown);
    await update(org, id, { timeout: '2h' }, { actor: serviceKey, key_holders: [] });
    await areKnown(org);
    // By a gateway of an earlier version, which does not report holders.
    await update(org, id, { timeout: '3h' }, { actor: serviceKey, written_by: maker });
    await areKnown(org, maker);
  });
});

describe('a policy whose quorum cannot be filled', () => {
  it('is written with a warning, until there are enough members', async () => {
    const org = newOrg();
    await join(org, 'admin');
    const nobody = { approver_groups: [{ group: 'legal', count: 1 }] };
    // While the members of the workspace are not known in time, there is no warning.
    const made = await eventually(async () => {
      const tried = await create(org, { ...nobody, name: newMember() });
      return tried.warnings === undefined ? undefined : tried;
    });
    expect(made.warnings?.[0]).toBe('1 person of "legal" must approve, but nobody in it may.');
    expect(
      await harness.f.client.request(commands.get_policy, { org_id: org, policy_id: made.id }),
    ).toMatchObject({
      version: 1,
      ...nobody,
    });
    expect(await update(org, made.id, { approver_groups: [], approvals_required: 2 })).toMatchObject({
      version: 2,
      warnings: ['2 people must approve, but only 1 may.'],
    });
    // An event of a moment ago is taken in before the warning is decided.
    await join(org, 'member', ['legal']);
    expect(await update(org, made.id, { approvals_required: 2, timeout: '1h' })).not.toHaveProperty(
      'warnings',
    );
    expect(await update(org, made.id, { ...nobody, approvals_required: 1 })).not.toHaveProperty('warnings');
    expect(await update(org, made.id, { effect: 'allow', approvals_required: 9 })).not.toHaveProperty(
      'warnings',
    );
  });
});
