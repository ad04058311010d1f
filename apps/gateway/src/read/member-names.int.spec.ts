import { createLogger } from '@agentlattice/observability';
import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import type pg from 'pg';
import { typeid } from 'typeid-js';
import { migrations } from '../migrations/index.js';
import { PrincipalStore } from '../outbound/principal-store.js';
import { MemberNameReader } from './member-names.js';

const logger = createLogger('test', 'silent');

describe('names of members', () => {
  let postgres: TestPostgres;
  let pool: pg.Pool;

  beforeAll(async () => {
    postgres = await startPostgres({ migrations: { gateway: migrations } });
    pool = testPool({ connectionString: postgres.databaseUrl('gateway'), max: 2 });
  });
  afterAll(async () => {
    await pool.end();
    await postgres.stop();
  });

  async function memberOf(orgId: string, name: string): Promise<string> {
    const store = new PrincipalStore(pool);
    const id = typeid('mbr').toString();
    const email = `${id}@example.com`;
    await store.inTransaction(async (tx) => {
      await store.insertWorkspace(tx, orgId, 'a workspace');
      await store.ensurePerson(tx, orgId, { id, email, passwordHash: null });
      const terms = { role: 'member', groups: [], status: 'active' } as const;
      await store.insertMembership(tx, orgId, { id, personId: id, email, name, ...terms });
    });
    return id;
  }

  it('are those of the workspace alone, also when the same reader read another workspace', async () => {
    const [here, there] = [typeid('org').toString(), typeid('org').toString()];
    const [ada, eve] = [await memberOf(here, 'Ada Novak'), await memberOf(there, 'Eve')];
    const reader = new MemberNameReader(pool, logger);
    expect(await reader.of(there, [ada, eve])).toEqual(new Map([[eve, 'Eve']]));
    expect(await reader.of(here, [ada, eve, ada])).toEqual(new Map([[ada, 'Ada Novak']]));
  });

  it('that were read before need no database; others are missing while it does not answer', async () => {
    const org = typeid('org').toString();
    const [ada, bob] = [await memberOf(org, 'Ada Novak'), await memberOf(org, 'Bob')];
    let answers = true;
    const query = ((...given: Parameters<typeof pool.query>) =>
      answers ? pool.query(...given) : new Promise(() => {})) as typeof pool.query;
    const reader = new MemberNameReader({ query }, logger);
    await reader.of(org, [ada]);
    answers = false;
    expect(await reader.of(org, [ada, bob])).toEqual(new Map([[ada, 'Ada Novak']]));
  });
});
