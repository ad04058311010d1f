// From `npm start` to the first verdict, as a newcomer would wait for it.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startProduct, until } from './process.mjs';

async function startOnce(cwd, dataDir) {
  const port = await freePort();
  const begun = performance.now();
  const product = startProduct(cwd, dataDir, port);
  try {
    await until(
      'the first verdict',
      async () => {
        const { base_url, agent } = JSON.parse(await readFile(join(dataDir, 'credentials.json'), 'utf8'));
        if (!base_url.endsWith(`:${port}`)) return false;
        const answer = await fetch(`${base_url}/api/v1/actions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${agent.api_key}`, 'content-type': 'application/json' },
          body: '{"action_type":"deploy.production"}',
        });
        const { status } = await answer.json();
        // The sample policy is made at the end of a first start; until then nothing matches.
        return answer.status === 202 && status === 'requested';
      },
      300_000,
    );
    return Math.round(performance.now() - begun);
  } finally {
    await product.stop();
  }
}

/** Milliseconds for each checkout: in a fresh clone of ours (npm's cache warm), on fresh data, on data of before. */
export async function startTimes(checkouts, { repeats, clone }) {
  const scratch = await mkdtemp(join(tmpdir(), 'al-bench-start-'));
  const times = {};
  try {
    if (clone) {
      execFileSync('git', ['clone', '--quiet', checkouts[0].root, join(scratch, 'clone')]);
      times.fresh_clone = [await startOnce(join(scratch, 'clone'), join(scratch, 'clone-data'))];
    }
    for (let i = 0; i < repeats; i++)
      for (const { name, root } of checkouts) {
        const dataDir = join(scratch, `${name}-${i}`);
        (times[`${name}, fresh data`] ??= []).push(await startOnce(root, dataDir));
        (times[`${name}, data of before`] ??= []).push(await startOnce(root, dataDir));
      }
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
  return times;
}
