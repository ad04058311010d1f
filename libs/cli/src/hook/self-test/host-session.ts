import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withClaudeHook } from '../claude-settings.js';
import { withCodexHook, withCodexTrust } from '../codex-config.js';
import { codexHooks } from '../codex-trust.js';
import { hookLine, type HookCommand, hostLimitSeconds } from '../hook-line.js';
import { opencodePlugin } from '../opencode-plugin.js';
import { placesOf } from '../places.js';

export interface HostSession {
  readonly hookCommand: HookCommand;
  readonly hostProgram: string;
  readonly modelUrl: string;
  /** An empty folder: the home and the work of the host. */
  readonly folder: string;
  /** Seconds after which the host stops waiting for the hook; left out: as it is installed. */
  readonly hostLimit?: number;
  /** Given to the host, and by it to the hook. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface HostEnd {
  readonly code: number | null;
  readonly said: string;
}

const endsWithinMs = 180_000;

/** Runs the real program of a host without a terminal, with a model and a home of its own, until the model is done. */
export async function runHost(session: HostSession): Promise<HostEnd> {
  const { hookCommand, hostProgram, folder, env = {} } = session;
  const [home, work] = [join(folder, 'home'), join(folder, 'work')];
  await Promise.all([home, work].map((path) => mkdir(path, { recursive: true })));
  const clean = { PATH: process.env['PATH'], HOME: home, TMPDIR: folder, ...quiet, ...env };
  const args = await prepare(session, clean, { home, work });
  const child = spawn(hostProgram, args, {
    cwd: work,
    env: { ...clean, ANTHROPIC_BASE_URL: session.modelUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it started ends with it.
    detached: true,
  });
  const ended = endOf(child);
  const timer = setTimeout(() => killGroup(child), endsWithinMs);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
    killGroup(child);
  }
  function endOf(started: ChildProcess): Promise<HostEnd> {
    let said = '';
    for (const stream of [started.stdout, started.stderr])
      stream?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-20_000)));
    return new Promise((resolve, reject) => {
      started.once('error', (error) =>
        reject(new Error(`${hookCommand.host} cannot be run: ${error.message}`)),
      );
      started.once('exit', (code) => resolve({ code, said }));
    });
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

/** They would call their makers, and load what they do not need here. */
const quiet = {
  ANTHROPIC_API_KEY: 'sk-ant-of-no-account',
  OPENAI_API_KEY: 'sk-of-no-account',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
  OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  OPENCODE_DISABLE_EMBEDDED_WEB_UI: '1',
  npm_config_offline: 'true',
};

async function prepare(
  session: HostSession,
  env: NodeJS.ProcessEnv,
  { home, work }: { home: string; work: string },
): Promise<readonly string[]> {
  const { hookCommand, hostLimit = hostLimitSeconds, modelUrl, hostProgram } = session;
  const { settings } = placesOf(hookCommand.host, 'user', { env, folder: work });
  const limited = (text: string) => text.replaceAll(String(hostLimitSeconds), String(hostLimit));
  const write = async (path: string, text: string) => {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text);
  };
  if (hookCommand.host === 'claude-code') {
    await write(settings, limited(withClaudeHook('', hookLine(hookCommand))));
    return ['-p', 'Do the work.', '--allowedTools', 'Bash', '--output-format', 'json'];
  }
  if (hookCommand.host === 'opencode') {
    await write(join(home, '.config/opencode/opencode.json'), JSON.stringify(opencodeConfig(modelUrl)));
    await write(settings, opencodePlugin(hookCommand));
    return ['run', 'Do the work.'];
  }
  const config = `model = "fake"\nmodel_provider = "fake"\n\n[model_providers.fake]\nname = "fake"\nbase_url = "${modelUrl}/v1"\nwire_api = "responses"\nenv_key = "OPENAI_API_KEY"\n`;
  const hooked = limited(withCodexHook(config, hookLine(hookCommand)));
  await write(settings, hooked);
  const [hook] = await codexHooks(hostProgram, work, env);
  if (hook !== undefined) await write(settings, withCodexTrust(hooked, hook));
  return ['exec', '--skip-git-repo-check', '-s', 'danger-full-access', 'Do the work.'];
}

const opencodeConfig = (modelUrl: string) => ({
  ...{ model: 'fake/fake', small_model: 'fake/fake', autoupdate: false, share: 'disabled' },
  provider: {
    fake: {
      ...{ npm: '@ai-sdk/openai-compatible', name: 'fake', models: { fake: { name: 'fake' } } },
      options: { baseURL: `${modelUrl}/v1`, apiKey: 'none' },
    },
  },
});
