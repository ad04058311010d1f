import type { DecidingOperator, OpenItem, ServiceName } from '@agentlattice/contracts';
import { readBaseConfig, startApp } from '@agentlattice/service';
import {
  eventually,
  type FakeEventSource,
  fakeEventSource,
  type SilentProxy,
  silentProxy,
  startNats,
  startPostgres,
  testPool,
} from '@agentlattice/testkit';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { typeid } from 'typeid-js';
import { ApprovalServiceModule } from '../src/approval-service.module.js';
import { migrations } from '../src/migrations/index.js';
import { logger, neighbours, type Neighbours } from './approval-fixture.js';

export type MemberClaim = DecidingOperator & { readonly groups: readonly string[] };

/** The service as it runs, on a real PostgreSQL and NATS, with fakes of the services around it. */
export interface ApprovalHarness {
  readonly n: Neighbours;
  /** A proxy between the service and its PostgreSQL. */
  readonly proxy: SilentProxy;
  /** With the rights of the service. */
  readonly pool: pg.Pool;
  /** The gateway as a source of events. */
  readonly gateway: FakeEventSource;
  /** Adds a member of the workspace, since an hour ago unless `since` says otherwise. */
  member(org: string, changes?: Partial<MemberClaim>, since?: Date): Promise<DecidingOperator>;
  /** Sends requests as the ledger does, again if the service was too busy, and waits until each is answered. */
  opened(...items: OpenItem[]): Promise<void>;
  typesOf(item: OpenItem): Promise<string[]>;
  /** For a fake of this service. */
  natsUrl(user: ServiceName): string;
  /** Starts one more replica; it ends with the harness. */
  replica(): Promise<void>;
  stop(): Promise<void>;
}

export async function approvalHarness({ proxied = false } = {}): Promise<ApprovalHarness> {
  const [postgres, nats, dataDir] = await Promise.all([
    startPostgres({ migrations: { 'approval-service': migrations } }),
    startNats(),
    mkdtemp(join(tmpdir(), 'al-approvals-')),
  ]);
  const proxy = await silentProxy(postgres.databaseUrl('approval-service'));
  const n = await neighbours(nats.natsUrl);
  const gateway = await fakeEventSource(n.gateway, 'gateway');
  const pool = testPool({ connectionString: postgres.databaseUrl('approval-service') });
  Object.assign(process.env, {
    AL_INSTANCE: 'a',
    AL_DATA_DIR: dataDir,
    AL_HEALTH_PORT: '0',
    LOG_LEVEL: 'silent',
    DATABASE_URL: proxied ? proxy.url : postgres.databaseUrl('approval-service'),
    NATS_URL: nats.natsUrl('approval-service'),
    REDIS_URL: '',
  });
  const replica = () =>
    startApp(
      { service: 'approval-service', module: ApprovalServiceModule },
      readBaseConfig('approval-service', process.env),
      logger,
    );
  const apps = [await replica()];
  return {
    n,
    proxy,
    pool,
    gateway,
    member: async (org_id, changes = {}, since = new Date(Date.now() - 3_600_000)) => {
      const { groups, ...claim } = { ...newMember(), ...changes };
      const data = { member_id: claim.member_id, role: claim.role, groups: [...groups] };
      await gateway.emit({
        org_id,
        stream_id: claim.member_id,
        type: 'member.created',
        data,
        occurred_at: since,
      });
      return claim;
    },
    opened: async (...items) => {
      const isBusy = ({ item_id }: OpenItem) =>
        n.answers.get(item_id)?.every(({ error }) => error?.code === 'UNAVAILABLE') === true;
      for (let left = items; left.length > 0; left = items.filter(isBusy)) {
        for (const { item_id } of left) n.answers.delete(item_id);
        n.open(...left);
        await eventually(() => left.every(({ item_id }) => n.answers.has(item_id)));
      }
    },
    typesOf: async ({ org_id, approval_id }) => {
      const { rows } = await pool.query<{ type: string }>(
        'SELECT type FROM event WHERE org_id = $1 AND stream_id = $2 ORDER BY version',
        [org_id, approval_id],
      );
      return rows.map(({ type }) => type);
    },
    natsUrl: nats.natsUrl,
    replica: async () => {
      process.env['AL_INSTANCE'] = `r${String(apps.length)}`;
      apps.push(await replica());
    },
    stop: async () => {
      await Promise.all(apps.map((app) => app.close()));
      await pool.end();
      await Promise.all([n.close(), proxy.stop()]);
      await Promise.all([postgres.stop(), nats.stop(), rm(dataDir, { recursive: true })]);
    },
  };
}

export const newMember = (): MemberClaim => ({
  member_id: typeid('mbr').toString(),
  key_id: typeid('key').toString(),
  role: 'member',
  via: 'api',
  groups: [],
});
