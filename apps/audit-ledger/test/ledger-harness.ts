import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AppendItem,
  auditLedgerCommands as commands,
  type CommandResponse,
  appendSubject,
  type OpenItem,
  openSubject,
  type ServiceName,
  type SubmissionAnswer,
  submissionReplySubject,
} from '@agentlattice/contracts';
import { freePort } from '@agentlattice/launcher';
import { CommandClient, connectNats, publishBatches } from '@agentlattice/messaging';
import {
  answersWithinMs,
  eventually,
  startNats,
  startPostgres,
  type TestNats,
  testPool,
  type TestPostgres,
} from '@agentlattice/testkit';
import type { NatsConnection } from '@nats-io/transport-node';
import pg from 'pg';

/** One process of the audit-ledger. */
export interface LedgerProcess {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** The answer of `/readyz?scope=local`. */
  readiness(): Promise<{ ready: boolean; missing: string[] }>;
  ready(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Its own servers, and as many processes of the audit-ledger as a test starts. */
export interface LedgerHarness {
  readonly postgres: TestPostgres;
  readonly nats: TestNats;
  /** A connection with all permissions: it acts as gateway, engine and approval-service. */
  readonly nc: NatsConnection;
  readonly client: CommandClient;
  /** The administrator's. */
  readonly admin: pg.Pool;
  readonly dataDir: string;
  /** The canonical bytes of all entries of a log. */
  entriesOf(orgId: string): Promise<Buffer[]>;
  /** Newest first. */
  search(orgId: string, filter?: object): Promise<CommandResponse<typeof commands.search>>;
  /** Waits for a full check of the log. */
  verify(orgId: string): Promise<CommandResponse<typeof commands.verify>>;
  start(env?: NodeJS.ProcessEnv): Promise<LedgerProcess>;
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export async function startLedgerHarness(): Promise<LedgerHarness> {
  const postgres = await startPostgres({ migrations: { 'audit-ledger': 'built' } });
  const nats = await startNats();
  const dataDir = await mkdtemp(join(process.env['AL_TEST_STACKS'] ?? tmpdir(), 'al-ledger-'));
  const url = new URL(nats.natsUrl('admin'));
  const nc = await connectNats({ url: url.href, service: 'gateway', instance: 'test' });
  const admin = testPool({ connectionString: postgres.adminUrl, options: '-c search_path=audit_ledger' });
  const processes: LedgerProcess[] = [];
  const client = new CommandClient(nc, answersWithinMs);
  return {
    postgres,
    nats,
    nc,
    client,
    admin,
    dataDir,
    async entriesOf(org_id) {
      const { entries } = await client.request(commands.entries, { org_id, from: 0, limit: 1_000 });
      return entries.map((text) => Buffer.from(text));
    },
    search: (org_id, filter = {}) =>
      client.request(commands.search, { org_id, cursor: null, limit: 200, ...filter }),
    verify: (org_id) => client.request(commands.verify, { org_id, wait: true }, { timeoutMs: 60_000 }),
    async start(env = {}) {
      const started = await startProcess({ postgres, nats, dataDir, env, number: processes.length });
      processes.push(started);
      return started;
    },
    async stop() {
      await Promise.all(processes.map((process) => process.kill('SIGTERM')));
      await nc.close();
      await admin.end();
      await Promise.all([postgres.stop(), nats.stop()]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function startProcess(options: {
  postgres: TestPostgres;
  nats: TestNats;
  dataDir: string;
  env: NodeJS.ProcessEnv;
  number: number;
}): Promise<LedgerProcess> {
  const port = await freePort();
  const name: ServiceName = 'audit-ledger';
  const child = spawn(process.execPath, ['--enable-source-maps', main], {
    env: {
      PATH: process.env['PATH'],
      AL_SERVICE_NAME: name,
      AL_INSTANCE: `ledger${String(options.number)}`,
      AL_DATA_DIR: options.dataDir,
      AL_HEALTH_PORT: String(port),
      DATABASE_URL: options.postgres.databaseUrl(name),
      NATS_URL: options.nats.natsUrl(name),
      LOG_LEVEL: 'info',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const readiness = async () => {
    const response = await fetch(`http://127.0.0.1:${String(port)}/readyz?scope=local`);
    return (await response.json()) as { ready: boolean; missing: string[] };
  };
  return {
    child,
    output: () => output,
    readiness,
    async ready() {
      await eventually(async () => (await readiness()).ready, { within: 30_000 }).catch((error: unknown) => {
        throw new Error(`the audit-ledger does not get ready: ${output}`, { cause: error });
      });
    },
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      await ended;
    },
  };
}

/** Acts as the gateway and the approval-service: sends batches and stores the answers. */
export class Submitter {
  readonly answers = new Map<string, SubmissionAnswer>();
  readonly opened = new Map<string, OpenItem>();

  constructor(
    private readonly nc: NatsConnection,
    gateway = 'test',
  ) {
    nc.subscribe(submissionReplySubject(gateway), {
      callback: (_error, message) => {
        const { items } = message.json<{ items: SubmissionAnswer[] }>();
        for (const answer of items) this.answers.set(answer.item_id, answer);
      },
    });
    nc.subscribe(openSubject, {
      callback: (_error, message) => {
        const { items } = message.json<{ items: OpenItem[] }>();
        for (const item of items) this.opened.set(item.item_id, item);
      },
    });
  }

  send(items: readonly AppendItem[], lifetimeMs = 5_000): void {
    publishBatches(this.nc, appendSubject, Date.now() + lifetimeMs, items);
  }

  /** Sends until the item is answered or opened; each round has its own id of the item, as a gateway's retries have. */
  async submit(item: AppendItem): Promise<SubmissionAnswer | OpenItem> {
    this.send([item]);
    return await eventually(() => this.answers.get(item.item_id) ?? this.opened.get(item.item_id));
  }

  async answered(item: AppendItem): Promise<SubmissionAnswer> {
    this.send([item]);
    return await eventually(() => this.answers.get(item.item_id));
  }
}
