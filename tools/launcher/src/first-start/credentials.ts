import { join } from 'node:path';
import { typeid } from 'typeid-js';
import { z } from 'zod';
import { readJsonFile, writePrivateFile } from '../private-file.js';
import { randomSecret } from '../random-secret.js';
import type { Secrets } from '../secrets.js';
import { StartRefused } from '../start-refused.js';

const credentialsShape = z.object({
  base_url: z.string(),
  org_id: z.string(),
  admin: z.object({ email: z.string(), password: z.string(), api_key: z.string() }),
  service_key: z.string(),
  agent: z.object({ id: z.string(), name: z.string(), api_key: z.string() }),
});

/** The content of `credentials.json`: everything for the first use, and nothing that the server stores in clear text. */
export type Credentials = z.infer<typeof credentialsShape>;

export const credentialsPath = (dataDir: string) => join(dataDir, 'credentials.json');

/**
 * The credentials in the data directory, made at the first start and given the current address at every start. They are on disk before
 * the gateway gets them, so a crash in between loses no key. A deleted file is made again with new keys for the same workspace and
 * agent, whose ids are in the secrets.
 * @throws StartRefused when the file is damaged
 */
export async function ensureCredentials(
  dataDir: string,
  secrets: Secrets,
  baseUrl: string,
): Promise<Credentials> {
  const path = credentialsPath(dataDir);
  const standing = await readCredentials(path);
  const orgId = secrets.keep('first.org_id', standing?.org_id ?? typeid('org').toString());
  const agentId = secrets.keep('first.agent_id', standing?.agent.id ?? typeid('agt').toString());
  await secrets.save();
  if (standing?.base_url === baseUrl) return standing;
  const credentials =
    standing === undefined ? newCredentials(baseUrl, orgId, agentId) : { ...standing, base_url: baseUrl };
  await writePrivateFile(path, `${JSON.stringify(credentials, null, 2)}\n`);
  return credentials;
}

function newCredentials(baseUrl: string, orgId: string, agentId: string): Credentials {
  return {
    base_url: baseUrl,
    org_id: orgId,
    admin: {
      email: 'admin@agentlattice.local',
      password: randomSecret(),
      api_key: `al_op_${randomSecret()}`,
    },
    service_key: `al_svc_${randomSecret()}`,
    agent: { id: agentId, name: 'first-agent', api_key: `al_agent_${randomSecret()}` },
  };
}

/** The file as it is; undefined when there is none. @throws StartRefused when it is damaged */
export async function readCredentials(path: string): Promise<Credentials | undefined> {
  try {
    const content = await readJsonFile(path);
    return content === undefined ? undefined : credentialsShape.parse(content);
  } catch {
    throw new StartRefused(`${path} is damaged; restore it, or delete it to get new keys.`);
  }
}
