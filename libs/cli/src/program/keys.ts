import type { KeyView, OperatorRole, ServiceScope } from '@agentlattice/contracts';
import { type Command, Option } from 'commander';
import { roles } from './members.js';
import { calls, common, limitOption, type ProgramContext, several, yesOption } from './registration.js';

const kinds = ['operator', 'service', 'agent'] as const satisfies readonly KeyView['kind'][];
const scopes = [
  'agents:register',
  'policies:read',
  'policies:write',
  'grants:consume',
] as const satisfies readonly ServiceScope[];
const load = () => import('../commands/keys.js');

export interface NewKeyOptions {
  readonly kind: KeyView['kind'];
  readonly role?: OperatorRole;
  readonly member?: string;
  readonly agent?: string;
  readonly scope?: readonly string[];
  readonly expires?: string;
}

export function registerKeys(program: Command, context: ProgramContext): void {
  const keys = program.command('keys').description('the keys of agents, operators and automation');
  common(keys.command('list'))
    .description('the keys of the workspace, without their secrets')
    .option('--all', 'also those that were revoked or have expired')
    .option(...limitOption)
    .action(
      calls<{ all?: true; limit: number }>(context, async (ports, { all, limit }) =>
        (await load()).listKeys({ all: all === true, limit }, ports),
      ),
    );
  common(keys.command('create'))
    .description('make a key; shows it, once')
    .argument('<name>')
    .addOption(new Option('--kind <kind>').choices(kinds).makeOptionMandatory())
    .addOption(new Option('--role <role>', 'of an operator’s key').choices(roles))
    .option('--member <member>', 'of an operator’s key: id or e-mail address')
    .option('--agent <agent>', 'of an agent’s key: id or name')
    .option('--scope <scope>', `of a service key, may be given several times: ${scopes.join(', ')}`, several)
    .option('--expires <time>', 'RFC 3339, or a duration from now such as 90d')
    .action(
      calls<NewKeyOptions>(context, async (ports, options, [name = '']) =>
        (await load()).createKey({ name, ...options }, ports),
      ),
    );
  common(keys.command('rotate'))
    .description('replace a key; the old one works for the overlap')
    .argument('<id>')
    .option('--overlap <duration>', 'how long the old one still works; 0s: not at all', '24h')
    .action(
      calls<{ overlap: string }>(context, async (ports, { overlap }, [id = '']) =>
        (await load()).rotateKey({ id, overlap }, ports),
      ),
    );
  common(keys.command('revoke'))
    .description('end a key, everywhere within a second')
    .argument('<id>')
    .option(...yesOption)
    .action(
      calls<{ yes?: true }>(context, async (ports, { yes }, [id = '']) =>
        (await load()).revokeKey(id, yes === true, ports),
      ),
    );
}
