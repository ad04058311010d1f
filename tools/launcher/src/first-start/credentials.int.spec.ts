import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSecrets } from '../secrets.js';
import { credentialsPath, ensureCredentials } from './credentials.js';

describe('the credentials of the first start', () => {
  let dataDir: string;
  const ensure = async (baseUrl = 'http://127.0.0.1:3000') =>
    ensureCredentials(dataDir, await openSecrets(dataDir), baseUrl);
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'al-credentials-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('have the shape that users rely on', async () => {
    expect(await ensure()).toEqual({
      base_url: 'http://127.0.0.1:3000',
      org_id: expect.stringMatching(/^org_[0-9a-z]{26}$/),
      admin: {
        email: expect.stringContaining('@'),
        password: expect.any(String),
        api_key: expect.stringMatching(/^al_op_[\w-]{43}$/),
      },
      service_key: expect.stringMatching(/^al_svc_[\w-]{43}$/),
      agent: {
        id: expect.stringMatching(/^agt_[0-9a-z]{26}$/),
        name: 'first-agent',
        api_key: expect.stringMatching(/^al_agent_[\w-]{43}$/),
      },
    });
  });

  it('can be read by their owner only', async () => {
    await ensure();
    for (const file of ['credentials.json', 'secrets.json'])
      expect(statSync(join(dataDir, file)).mode & 0o777).toBe(0o600);
  });

  it('do not change at restarts, except for the address', async () => {
    const first = await ensure();
    expect(await ensure('http://127.0.0.1:3001')).toEqual({ ...first, base_url: 'http://127.0.0.1:3001' });
    const { base_url } = JSON.parse(readFileSync(credentialsPath(dataDir), 'utf8')) as { base_url: string };
    expect(base_url).toBe('http://127.0.0.1:3001');
  });

  it('are made again with new keys for the same workspace and agent when the file was deleted', async () => {
    const first = await ensure();
    rmSync(credentialsPath(dataDir));
    const second = await ensure();
    expect([second.org_id, second.agent.id]).toEqual([first.org_id, first.agent.id]);
    expect(second.admin.api_key).not.toBe(first.admin.api_key);
  });

  it('are not overwritten when they are damaged, so that a person decides', async () => {
    writeFileSync(credentialsPath(dataDir), '{"org_id":');
    await expect(ensure()).rejects.toThrow('is damaged');
  });

  it('are not tried with new server passwords when the stored ones are damaged', async () => {
    writeFileSync(join(dataDir, 'secrets.json'), '{');
    await expect(openSecrets(dataDir)).rejects.toThrow('secrets.json cannot be read');
  });
});
