import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';

const run = promisify(execFile);
const program = join(import.meta.dirname, 'release-images.mjs');
const images = ['gateway', 'policy-engine', 'approval-service', 'audit-ledger', 'notifier', 'migrate'];

describe('the images of a release', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'al-digests-'))));
  afterAll(() => rm(folder, { recursive: true }));
  const rendered = async () => (await run(process.execPath, [program, folder, 'registry.example'])).stdout;

  it('are named by digest, once there is one of each', async () => {
    for (const [i, name] of images.entries()) {
      await expect(rendered()).rejects.toThrow(`there is no digest of ${images.slice(i).join(', ')}`);
      await writeFile(join(folder, `${name}.digest`), `sha256:${String(i).repeat(64)}\n`);
    }
    expect(parse(await rendered())).toEqual({
      images: images.map((name, i) => ({
        name: `agentlattice/${name}`,
        newName: `registry.example/${name}`,
        digest: `sha256:${String(i).repeat(64)}`,
      })),
    });
    await writeFile(join(folder, 'gateway.digest'), 'latest');
    await expect(rendered()).rejects.toThrow('the digest of gateway is none');
  });
});
