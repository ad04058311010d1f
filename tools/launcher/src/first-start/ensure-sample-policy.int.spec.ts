import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from './credentials.js';
import { ensureSamplePolicy } from './ensure-sample-policy.js';

describe('the sample policy', () => {
  let dataDir: string;
  let server: Server;
  let policies: { name: string }[];
  let answerTo: { post: number };

  const credentials = (): Credentials => ({
    base_url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    org_id: 'org_x',
    admin: { email: 'a@b.c', password: 'p', api_key: 'al_op_x' },
    service_key: 'al_svc_x',
    agent: { id: 'agt_x', name: 'a', api_key: 'al_agent_x' },
  });

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'al-sample-'));
    policies = [];
    answerTo = { post: 201 };
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (request.headers.authorization !== 'Bearer al_op_x') response.statusCode = 401;
        else if (request.method === 'POST') {
          response.statusCode = answerTo.post;
          if (answerTo.post === 201) policies.push(JSON.parse(body) as { name: string });
        }
        response.end(JSON.stringify({ policies, next_cursor: null }));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('is made on the first start', async () => {
    await ensureSamplePolicy(dataDir, credentials());
    expect(policies).toEqual([
      { name: 'production-deploys', action_type: 'deploy.production', effect: 'require_approval' },
    ]);
  });

  it('is not made again once it was deleted', async () => {
    await ensureSamplePolicy(dataDir, credentials());
    policies = [];
    await ensureSamplePolicy(dataDir, credentials());
    expect(policies).toEqual([]);
  });

  it('is not made twice after a start that crashed before it wrote the marker', async () => {
    await ensureSamplePolicy(dataDir, credentials());
    rmSync(join(dataDir, 'sample-policy.done'));
    await ensureSamplePolicy(dataDir, credentials());
    expect(policies).toHaveLength(1);
  });

  it('is tried again by the next start when the gateway refused it', async () => {
    answerTo.post = 503;
    await expect(ensureSamplePolicy(dataDir, credentials())).rejects.toThrow('answered 503');
    answerTo.post = 201;
    await ensureSamplePolicy(dataDir, credentials());
    expect(policies).toHaveLength(1);
  });
});
