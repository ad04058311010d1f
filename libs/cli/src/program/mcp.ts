import type { Command } from 'commander';
import { common, type CommonOptions, type ProgramContext } from './registration.js';

export function registerMcp(program: Command, { env, folder, terminal }: ProgramContext): void {
  common(program.command('mcp'))
    .description('serve an MCP client (an assistant) over standard input and output')
    .action(async ({ retryFor }: CommonOptions) => {
      const [{ readConfig }, { readDuration }, { mcp }] = await Promise.all([
        import('../config.js'),
        import('../read-argument.js'),
        import('../commands/mcp.js'),
      ]);
      const retryForMs = readDuration('--retry-for', retryFor);
      const config = { ...(await readConfig(env, folder)), retryForMs };
      await mcp({ config, input: process.stdin, output: process.stdout, terminal });
    });
}
