import { badConfigurationExit } from '@agentlattice/contracts';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../process/run-command.js';
import { repositoryRoot } from '../repository-root.js';
import { StartRefused } from '../start-refused.js';

/**
 * Runs the gateway's own code that writes the workspace, administrator, keys and agent of the credentials file into its schema. Done at
 * every start, because the first one may have crashed in the middle.
 * @param env the gateway's environment
 * @throws StartRefused when it fails
 */
export async function ensureFirstWorkspace(credentialsFile: string, env: NodeJS.ProcessEnv): Promise<void> {
  const script = 'apps/gateway/dist/bundle/first-start.js';
  if (!existsSync(join(repositoryRoot, script)))
    throw new StartRefused(`${script} is missing; run npm run build.`);
  const { code, stdout, stderr } = await runCommand(
    process.execPath,
    ['--import', './tools/service-preload.mjs', script],
    {
      cwd: repositoryRoot,
      env: { ...env, AL_CREDENTIALS_FILE: credentialsFile },
    },
  );
  if (code === 0) return;
  if (code === badConfigurationExit)
    throw new StartRefused(`gateway refuses its configuration: ${stderr.trim()}`);
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-8).join('\n');
  throw new StartRefused(`The first workspace could not be set up: ${said}`);
}
