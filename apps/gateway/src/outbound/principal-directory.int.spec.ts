import { randomBytes } from 'node:crypto';
import { Refused, Unavailable } from '@agentlattice/contracts';
import { createLogger } from '@agentlattice/observability';
import { eventually, startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import { typeid } from 'typeid-js';
import { firstCredentialsFor } from '../../test/first-credentials.js';
import { ensureFirstWorkspace } from '../application/ensure-first-workspace.js';
import type { RequestContext } from '../application/principal-ports.js';
import { makeRegisterAgent } from '../application/register-agent.js';
import { migrations } from '../migrations/index.js';
import { hashOfKey, PrincipalDirectory } from './principal-directory.js';
import { PrincipalStore } from './principal-store.js';

const logger = createLogger('test', 'silent');
const isStale = (error: unknown) => error instanceof Refused && error.code === 'STALE';

describe('the directory of principals', () => {
  let postgres: TestPostgres;
  let pool: pg.Pool;
  let store: PrincipalStore;
  const first = firstCredentialsFor();

  beforeAll(async () => {
    postgres = await startPostgres({ migrations: { gateway: migrations } });
    pool = testPool({ connectionString: postgres.databaseUrl('gateway'), max: 10 });
    store = new PrincipalStore(pool);
    await ensureFirstWorkspace(store, first);
  });
  afterAll(async () => {
    await pool.end();
    await postgres.stop();
  });

  /** A member of another workspace. */
  async function stranger(): Promise<RequestContext> {
    const orgId = typeid('org').toString();
    await store.inTransaction((tx) => store.insertWorkspace(tx, orgId, 'another'));
    const memberId = typeid('mem').toString();
    return {
      orgId,
      memberId,
      instanceAdmin: false,
      originOf: () => ({ madeBy: memberId, own: false, shownTo: [] }),
      meta: {
        actor: { kind: 'operator', id: memberId, key_id: typeid('key').toString(), via: 'api' },
        correlation_id: 'req_1',
        traceparent: null,
      },
    };
  }

  it('finds a key that it found before, while random keys are tried and principals change elsewhere', async () => {
    const directory = new PrincipalDirectory(pool, logger);
    await directory.start();
    const flood = { on: true };
    const failures: unknown[] = [];
    const tryKeys = async () => {
      while (flood.on) {
        try {
          expect(await directory.findByHash(randomBytes(32).toString('base64'))).toBeUndefined();
        } catch (error) {
          // Unknown keys may be refused.
          if (!(error instanceof Unavailable) && !isStale(error)) throw error;
          await new Promise(setImmediate);
        }
      }
    };
    try {
      await directory.findByHash(hashOfKey(first.agent.api_key));
      const asked = await stranger();
      const registerAgent = makeRegisterAgent({ store, refresh: () => directory.refresh() });
      const floods = Promise.all(Array.from({ length: 200 }, tryKeys));
      for (let i = 0; i < 30; i += 1) {
        await registerAgent(asked, { name: `bot ${i}`, description: null });
        // The machine may be too slow for the poll, which is not tested here.
        const found = await eventually(() =>
          directory.findByHash(hashOfKey(first.agent.api_key)).catch((error: unknown) => {
            if (isStale(error)) return undefined;
            failures.push(error);
            return undefined;
          }),
        );
        expect(found).toMatchObject({ kind: 'agent' });
      }
      expect(failures).toEqual([]);
      flood.on = false;
      await floods;
    } finally {
      flood.on = false;
      await directory.stop();
    }
  });

  it('reads the revision before it refuses, also when no poll ran because the process was busy', async () => {
    // Never started, so that no poll runs.
    const directory = new PrincipalDirectory(pool, logger);
    try {
      const found = await Promise.all(
        Array.from({ length: 50 }, () => directory.findByHash(hashOfKey(first.agent.api_key))),
      );
      expect(new Set(found.map((principal) => principal?.kind))).toEqual(new Set(['agent']));
    } finally {
      await directory.stop();
    }
  });

  it('is not polled while no key is checked, and the next key waits for a reading', async () => {
    let looks = 0;
    let lookedAt = performance.now();
    const directory = new PrincipalDirectory(
      {
        connect: () => pool.connect(),
        query: (...given: Parameters<typeof pool.query>) => {
          if (JSON.stringify(given[0]).includes('FROM revision')) {
            looks += 1;
            lookedAt = performance.now();
          }
          return pool.query(...given);
        },
      } as unknown as pg.Pool,
      logger,
    );
    await directory.start();
    try {
      expect(await directory.findByHash(hashOfKey(first.agent.api_key))).toMatchObject({ kind: 'agent' });
      await eventually(() => performance.now() - lookedAt > 2_500, { within: 60_000 });
      const before = looks;
      expect(directory.isFresh()).toBe(false);
      expect(await directory.findByHash(hashOfKey(first.agent.api_key))).toMatchObject({ kind: 'agent' });
      expect(looks).toBeGreaterThan(before);
    } finally {
      await directory.stop();
    }
  });

  it('answers while principals change during every read, and keeps nothing that it read meanwhile', async () => {
    let reads = 0;
    const changing = { on: true };
    const directory = new PrincipalDirectory(
      {
        connect: () => pool.connect(),
        query: async (...given: Parameters<typeof pool.query>) => {
          const answer: unknown = await pool.query(...given);
          if (JSON.stringify(given[0]).includes('FROM api_key')) {
            reads += 1;
            if (changing.on) await directory.refresh();
          }
          return answer;
        },
      } as unknown as pg.Pool,
      logger,
    );
    await directory.start();
    try {
      expect(await directory.findByHash(hashOfKey(first.agent.api_key))).toMatchObject({ kind: 'agent' });
      expect(await directory.findByHash(hashOfKey('al_agent_none'))).toBeUndefined();
      const before = reads;
      changing.on = false;
      await directory.findByHash(hashOfKey(first.agent.api_key));
      await directory.findByHash(hashOfKey('al_agent_none'));
      expect(reads).toBe(before + 2);
      await directory.findByHash(hashOfKey(first.agent.api_key));
      await directory.findByHash(hashOfKey('al_agent_none'));
      expect(reads).toBe(before + 2);
    } finally {
      changing.on = false;
      await directory.stop();
    }
  });
});
