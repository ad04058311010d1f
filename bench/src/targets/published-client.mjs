// The published Python client as it comes: its gate asks for the state every five seconds.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pause, until } from '../process.mjs';
import { actionType } from './our-approvals.mjs';

const driver = fileURLToPath(new URL('../../../e2e/published-client/drive.py', import.meta.url));
const pollMs = 5_000;

/** @returns milliseconds from sending each approval until the client's gate returned */
export async function pollingClient(system, scratch, gates) {
  const folder = join(scratch, 'python');
  const run = (command, args) => {
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  };
  run('python3', ['-m', 'venv', folder]);
  run(join(folder, 'bin/pip'), ['install', '--quiet', 'agentlattice==0.4.2']);
  const python = spawn(join(folder, 'bin/python'), [driver], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const returned = new Map();
    createInterface({ input: python.stdout }).on('line', (line) => {
      const { id, ...told } = JSON.parse(line);
      returned.set(id, { at: performance.now(), ...told });
    });
    const { credentials, baseUrl } = system.stack;
    const known = new Set((await pending(system)).map(({ id }) => id));
    for (let id = 0; id < gates; id++)
      python.stdin.write(
        `${JSON.stringify({ id, op: 'gate', key: credentials.agent.api_key, base_url: baseUrl, args: { action_type: actionType, options: { metadata: { gate: id } } } })}\n`,
      );
    const open = await until('all gates asking', async () => {
      const fresh = (await pending(system)).filter(({ id }) => !known.has(id));
      return fresh.length === gates && fresh;
    });
    // At any moment of the client's pace, not at its beginning.
    return await Promise.all(
      open.map(async ({ id, metadata }, i) => {
        await pause((i / gates) * pollMs);
        const sent = performance.now();
        await system.three.approve({ id });
        const { at, error } = await until('the gate', () => returned.get(metadata.gate));
        if (error) throw new Error(error.message);
        return at - sent;
      }),
    );
  } finally {
    python.kill();
  }
}

async function pending(system) {
  const { approvals } = await system.send(
    'GET',
    `/api/v1/approvals?status=pending&action_type=${actionType}&limit=200`,
    system.stack.credentials.admin.api_key,
  );
  return approvals;
}
