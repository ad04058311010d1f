import { typeid } from 'typeid-js';
import type { FirstCredentials } from '../src/application/ensure-first-workspace.js';

/** What a first start would write, different each time. */
export const firstCredentialsFor = (): FirstCredentials => ({
  org_id: typeid('org').toString(),
  admin: {
    email: `${typeid('req').toString()}@example.com`,
    password: 'a long password',
    api_key: `al_op_${typeid('key').toString()}`,
  },
  service_key: `al_svc_${typeid('key').toString()}`,
  agent: { id: typeid('agt').toString(), name: 'first', api_key: `al_agent_${typeid('key').toString()}` },
});
