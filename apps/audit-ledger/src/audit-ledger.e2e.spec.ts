import { auditLedgerCommands as commands } from '@agentlattice/contracts';
import { openNote, parseCheckpoint, parseVerifierKey, verifyLedger } from '@agentlattice/ledger';
import { eventually } from '@agentlattice/testkit';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { type LedgerHouse, startLedgerHouse, Submitter } from '../test/ledger-house.js';
import { newOrg, sampleAgent, sampleItem } from '../test/sample-items.js';

let house: LedgerHouse;
let submitter: Submitter;
beforeAll(async () => {
  house = await startLedgerHouse();
  submitter = new Submitter(house.nc);
  await (await house.start()).ready();
}, 120_000);
afterAll(() => house.stop());

const entriesOf = async (org_id: string) =>
  (await house.client.request(commands.entries, { org_id, from: 0, limit: 1_000 })).entries.map((e) =>
    Buffer.from(e),
  );

describe('a submission', () => {
  it('is answered from its entry', async () => {
    const item = sampleItem({ org: newOrg() });
    const answer = await submitter.answered(item);
    expect(answer).toMatchObject({
      agent_id: sampleAgent.id,
      action_digest: item.action_digest,
      replayed: false,
      error: null,
    });
    expect(answer.outcome).toMatchObject({ status: 'executed', policy_name: 'Sample' });
    const { events } = await house.client.request(commands.search, {
      org_id: item.org_id,
      cursor: null,
      limit: 10,
    });
    expect(events.map(({ type }) => type)).toEqual(['action.executed', 'ledger.created']);
    expect(events[0]).toMatchObject({
      id: answer.outcome?.audit_event_id,
      metadata: { pr_size: 12 },
      policy_version: '3',
    });
  });
});
