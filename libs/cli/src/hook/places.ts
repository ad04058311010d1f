import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Host } from './hosts.js';

export type Scope = 'user' | 'project';

/** Where a host reads its hooks, and where their rules are. */
export interface Places {
  readonly settings: string;
  readonly rules: string;
  /** Where Codex keeps what the person trusts. */
  readonly codexUser: string;
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** The folder of the project. */
  readonly folder: string;
}

export function placesOf(host: Host, scope: Scope, { env, folder }: Surroundings): Places {
  const home = env['HOME'] ?? homedir();
  const under = (name: string, standard: string) => {
    const given = env[name];
    return given?.startsWith('/') ? given : join(home, standard);
  };
  const config = under('XDG_CONFIG_HOME', '.config');
  const codexUser = join(under('CODEX_HOME', '.codex'), 'config.toml');
  const rules = join(
    scope === 'user' ? join(config, 'agentlattice') : join(folder, '.agentlattice'),
    'hook.json',
  );
  const settings: Readonly<Record<Host, Readonly<Record<Scope, string>>>> = {
    'claude-code': {
      user: join(under('CLAUDE_CONFIG_DIR', '.claude'), 'settings.json'),
      // Not settings.json, which is shared: the line names programs of this machine.
      project: join(folder, '.claude/settings.local.json'),
    },
    codex: { user: codexUser, project: join(folder, '.codex/config.toml') },
    opencode: {
      user: join(config, 'opencode/plugin/agentlattice.js'),
      project: join(folder, '.opencode/plugin/agentlattice.js'),
    },
  };
  return { settings: settings[host][scope], rules, codexUser };
}
