import { Command } from 'commander';
import { registerActions } from './program/actions.js';
import { registerAgents } from './program/agents.js';
import { registerApprovals } from './program/approvals.js';
import { registerAudit } from './program/audit.js';
import { registerChannels } from './program/channels.js';
import { registerDeliveries } from './program/deliveries.js';
import { registerGate } from './program/gate.js';
import { registerHook } from './program/hook.js';
import { registerIdentity } from './program/identity.js';
import { registerKeys } from './program/keys.js';
import { registerMcp } from './program/mcp.js';
import { registerMembers } from './program/members.js';
import { registerPolicies } from './program/policies.js';
import { registerSetup } from './program/setup.js';
import type { ProgramContext, Register } from './program/registration.js';
import { version } from './version.js';

export type { ProgramContext } from './program/registration.js';

/** Every command, in the order of the help. */
const registrations: readonly Register[] = [
  registerGate,
  registerActions,
  registerApprovals,
  registerPolicies,
  registerAudit,
  registerAgents,
  registerMembers,
  registerKeys,
  registerChannels,
  registerDeliveries,
  registerIdentity,
  registerMcp,
  registerHook,
  registerSetup,
];

const environment = `
Environment:
  AL_API_KEY   the key: an agent's for gate, execute and check, an operator's for the others
  AL_BASE_URL  where the system is; else as the last npm start wrote it down in
               $AL_DATA_DIR/credentials.json; else http://127.0.0.1:3000
  NO_COLOR     no colours

Exit codes: 0 done, approved or allowed · 1 denied or refused · 2 nobody decided ·
            3 usage or configuration · 4 the system cannot be reached`;

/** Declares every command and option; the commands are implemented in commands/. */
export function makeProgram(context: ProgramContext): Command {
  const { terminal } = context;
  const program = new Command('al')
    .description('Ask before an agent acts; decide the requests of agents.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
    })
    .showHelpAfterError('(--help shows how)')
    .addHelpText('after', environment);
  for (const register of registrations) register(program, context);
  return program;
}
