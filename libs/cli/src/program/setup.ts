import { Argument, type Command } from 'commander';
import type { ProgramContext } from './registration.js';

const shells = ['bash', 'zsh', 'fish'] as const;

export function registerSetup(program: Command, context: ProgramContext): void {
  program
    .command('doctor')
    .description('check a deployment and say what to do; exits 1 when a check failed')
    .option('--send-tests', 'also send a test to every channel that is enabled')
    .option('--json', 'one JSON document on standard output')
    .option('--no-color', 'no colours, as with NO_COLOR in the environment')
    .addHelpText(
      'after',
      `
With an operator's AL_API_KEY it also checks keys and channels. Where the operator's environment has DATABASE_URL
(or DATABASE_URL_GATEWAY and so on), NATS_URL, REDIS_URL or AL_KEYS_DIR, or $AL_DATA_DIR belongs to a system of npm start,
it checks those servers and files as well.`,
    )
    .action(async (options: { sendTests?: true; json?: true; color: boolean }) => {
      const { doctor } = await import('../commands/doctor/doctor.js');
      const request = {
        sendTests: options.sendTests === true,
        json: options.json === true,
        color: options.color,
      };
      context.end(await doctor(request, context));
    });
  program
    .command('completion')
    .description('a script that completes commands and options')
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText(
      'after',
      `
bash: source <(al completion bash)   zsh: source <(al completion zsh)   fish: al completion fish | source`,
    )
    .action(async (shell: (typeof shells)[number]) => {
      const { completionScript } = await import('../commands/completion.js');
      context.terminal.print(completionScript(shell, program));
    });
}
