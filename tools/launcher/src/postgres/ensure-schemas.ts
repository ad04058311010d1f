import { type ServiceName, serviceNames } from '@agentlattice/contracts';
import { withClient } from './database-client.js';
import { jobsSchema, schemaOf } from './service-role.js';

/**
 * Makes the schemas on a server without the right to make roles.
 * @param userOf the login of a service there; it gets access to its schema
 */
export function ensureSchemas(adminUrl: string, userOf: (service: ServiceName) => string): Promise<void> {
  return withClient(adminUrl, async (client) => {
    for (const service of serviceNames) {
      const schema = schemaOf(service);
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${client.escapeIdentifier(userOf(service))}`);
    }
    // roles.sql makes the approval-service its owner; then it cannot be granted here.
    const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [jobsSchema]);
    if (rowCount !== 0) return;
    await client.query(`CREATE SCHEMA ${jobsSchema}`);
    const approvals = client.escapeIdentifier(userOf('approval-service'));
    await client.query(`GRANT USAGE, CREATE ON SCHEMA ${jobsSchema} TO ${approvals}`);
  });
}
