import { type Credentials, credentialsPath } from './credentials.js';
import { samplePolicy } from './ensure-sample-policy.js';

/** The text that the launcher prints once everything runs; it contains no key, because terminals are logged. */
export function greeting(dataDir: string, { base_url }: Credentials): string {
  const path = credentialsPath(dataDir);
  return `
AgentLattice approvals is running.

  Dashboard    ${base_url}
               Sign in with the e-mail and the password under "admin" in the credentials.
  API          ${base_url}/api/v1
  Credentials  ${path}
               Agents that run as the same user of this operating system can read that file too: it holds
               the administrator's password and key. Give agents a user of their own, or only their own key.

A first request. The sample policy "${samplePolicy.name}" asks a human for it:

  curl -sS ${base_url}/api/v1/actions \\
    -H "Authorization: Bearer $(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["agent"]["api_key"])' ${shellQuoted(path)})" \\
    -H 'Content-Type: application/json' \\
    -d '{"action_type":"${samplePolicy.action_type}","metadata":{"service":"checkout","version":"1.4.2"}}'

Decide it, in another terminal in this folder:

  export AL_API_KEY=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["admin"]["api_key"])' ${shellQuoted(path)})
  export AL_BASE_URL=${base_url}
  npx al approvals list
  npx al approvals approve apr_… --reason 'reviewed the change'

Ctrl-C stops everything.
`;
}

const shellQuoted = (text: string) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
