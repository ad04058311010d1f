import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivateFile } from '../private-file.js';
import type { Credentials } from './credentials.js';

/** The policy of the first request that the launcher prints. */
export const samplePolicy = {
  name: 'production-deploys',
  action_type: 'deploy.production',
  effect: 'require_approval',
} as const;

const policyList = z.object({ policies: z.array(z.object({ name: z.string() })) });

/**
 * Makes the sample policy by the HTTP API, once for each data directory: a deleted one is not made again.
 * @throws Error when the gateway refuses; the next start tries again
 */
export async function ensureSamplePolicy(dataDir: string, credentials: Credentials): Promise<void> {
  const marker = join(dataDir, 'sample-policy.done');
  if (existsSync(marker)) return;
  const url = `${credentials.base_url}/api/v1/policies`;
  const headers = {
    authorization: `Bearer ${credentials.admin.api_key}`,
    'content-type': 'application/json',
  };
  const signal = AbortSignal.timeout(30_000);
  const listed = await fetch(url, { headers, signal });
  if (!listed.ok) throw new Error(`GET /api/v1/policies answered ${String(listed.status)}`);
  const { policies } = policyList.parse(await listed.json());
  if (!policies.some((p) => p.name === samplePolicy.name)) {
    const made = await fetch(url, { method: 'POST', headers, signal, body: JSON.stringify(samplePolicy) });
    // An earlier start made the policy and crashed before it wrote the marker.
    if (!made.ok && made.status !== 409)
      throw new Error(`POST /api/v1/policies answered ${String(made.status)}`);
  }
  await writePrivateFile(marker, '');
}
