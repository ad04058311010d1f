import type { PrincipalPorts } from '../src/application/principal-ports.js';
import { makeChangeAgent } from '../src/application/change-agent.js';
import { makeCreateKey } from '../src/application/create-key.js';
import { makeCreateMember } from '../src/application/create-member.js';
import { makeRegisterAgent } from '../src/application/register-agent.js';
import { makeRevokeKey } from '../src/application/revoke-key.js';
import { makeRotateKey } from '../src/application/rotate-key.js';

/** All use cases of members, agents and keys, on the same ports. */
export const principalUseCases = (ports: PrincipalPorts) => ({
  registerAgent: makeRegisterAgent(ports),
  changeAgent: makeChangeAgent(ports),
  createMember: makeCreateMember(ports),
  createKey: makeCreateKey(ports),
  rotateKey: makeRotateKey(ports),
  revokeKey: makeRevokeKey(ports),
});
export type PrincipalUseCases = ReturnType<typeof principalUseCases>;
