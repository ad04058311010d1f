import type { Command } from 'commander';
import { registerAgent } from './agents.js';
import { calls, common, type ProgramContext } from './registration.js';

export function registerIdentity(program: Command, context: ProgramContext): void {
  common(program.command('whoami'))
    .description('whose key this is, and what it may do')
    .action(
      calls(context, async (ports) => {
        const { whoami } = await import('../commands/whoami.js');
        return whoami(ports);
      }),
    );
  registerAgent(program, context);
}
