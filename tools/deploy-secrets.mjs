// Makes new secrets for an installation: `node tools/deploy-secrets.mjs <folder>`. For the overlay of Kubernetes
// k8s/overlays/demo/secrets, for Docker Compose deploy/secrets. A folder that exists is left alone: its passwords are in use.
//
// Every file belongs to the person who runs this. Production takes its secrets from a store; the names are the same.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { services } from './image-root.mjs';

/** Letters and digits, with a letter first: NATS reads numbers in its variables as numbers. */
const password = () => `p${randomBytes(24).toString('hex')}`;
const variable = (text) => text.replaceAll('-', '_').toUpperCase();
const key = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Ids as the gateway makes them; typeid-js is not there before an installation. */
const typeId = (prefix) => {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  let value = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (let i = 0; i < 26; i++, value >>= 5n) text = alphabet[Number(value & 31n)] + text;
  return `${prefix}_${text}`;
};

export function newSecrets() {
  const database = {
    postgres: password(),
    ...Object.fromEntries(services.map((name) => [name, password()])),
  };
  const nats = Object.fromEntries(['admin', 'cluster', ...services].map((name) => [name, password()]));
  const redis = password();
  const databaseUrl = (user, secret) => `postgres://${user}:${secret}@postgres:5432/agentlattice`;
  const secret = (prefix) => `${prefix}${randomBytes(32).toString('base64url')}`;
  const credentials = {
    org_id: typeId('org'),
    admin: { email: 'admin@agentlattice.local', password: password(), api_key: secret('al_op_') },
    service_key: secret('al_svc_'),
    agent: { id: typeId('agt'), name: 'first-agent', api_key: secret('al_agent_') },
  };
  const channels = password();
  const natsUsers = Object.entries(nats).map(([user, secret]) => `NATS_PASSWORD_${variable(user)}=${secret}`);
  const files = {
    'postgres.password': database.postgres,
    'database-admin.url': databaseUrl('postgres', database.postgres),
    'nats-users.env': `${natsUsers.join('\n')}\n`,
    'redis.url': `redis://:${redis}@redis:6379`,
    'redis.conf': `dir /data\nappendonly yes\nappendfsync everysec\nmaxmemory-policy noeviction\nrequirepass ${redis}\n`,
    'channel-secrets-key': channels,
    'smtp.url': 'smtp://mailpit:1025',
    'audit-ledger-checkpoints.pem': key(),
    'audit-ledger-grants.pem': key(),
    'approval-service-grants.pem': key(),
    'credentials.json': `${JSON.stringify(credentials, null, 2)}\n`,
    'compose.env': [
      `POSTGRES_PASSWORD=${database.postgres}`,
      ...services.map((name) => `DATABASE_PASSWORD_${variable(name)}=${database[name]}`),
      ...natsUsers,
      `REDIS_PASSWORD=${redis}`,
      `CHANNEL_SECRETS_KEY=${channels}`,
      `GRAFANA_PASSWORD=${password()}`,
      '',
    ].join('\n'),
  };
  for (const service of services) {
    files[`database-${service}.url`] = databaseUrl(`al_${service.replaceAll('-', '_')}`, database[service]);
    files[`nats-${service}.url`] = `nats://${service}:${nats[service]}@nats:4222`;
  }
  return files;
}

/** @throws Error when the folder exists */
export async function writeSecrets(folder) {
  // Nobody else enters the folder. The files are readable in it: a container reads those that are mounted as another user.
  await mkdir(folder, { mode: 0o700 });
  for (const [name, content] of Object.entries(newSecrets()))
    await writeFile(join(folder, name), content, { mode: 0o644 });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('usage: node tools/deploy-secrets.mjs <folder>');
  await writeSecrets(resolve(folder));
  console.log(`${folder} has new secrets; credentials.json in it holds the first keys.`);
}
