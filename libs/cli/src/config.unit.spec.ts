import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from './config.js';

const apiKey = 'al_agent_x';
let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'al-config-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

async function startedHere(text: string, mode = 0o600): Promise<void> {
  await mkdir(join(folder, '.agentlattice'), { recursive: true });
  const file = join(folder, '.agentlattice/credentials.json');
  await writeFile(file, text);
  await chmod(file, mode);
}
const read = (env: NodeJS.ProcessEnv = {}) => readConfig({ AL_API_KEY: apiKey, ...env }, folder);

describe('the address of the system', () => {
  it('is AL_BASE_URL before anything else', async () => {
    await startedHere('{"base_url":"http://127.0.0.1:4000"}');
    expect(await read({ AL_BASE_URL: 'https://al.example.com/' })).toEqual({
      baseUrl: 'https://al.example.com',
      apiKey,
    });
  });

  it('is the one that npm start wrote here, or in AL_DATA_DIR', async () => {
    await startedHere('{"base_url":"http://127.0.0.1:4000"}');
    expect((await read()).baseUrl).toBe('http://127.0.0.1:4000');
    const data = { AL_DATA_DIR: join(folder, '.agentlattice') };
    expect((await readConfig({ AL_API_KEY: apiKey, ...data }, '/')).baseUrl).toBe('http://127.0.0.1:4000');
  });

  it('is the default address where nothing was started', async () =>
    expect((await read()).baseUrl).toBe('http://127.0.0.1:3000'));

  it('is never read from a file that could be part of a checked-out folder, because the key is sent there', async () => {
    for (const mode of [0o644, 0o640, 0o604]) {
      await startedHere('{"base_url":"http://127.0.0.1:4000"}', mode);
      await expect(read()).rejects.toThrow('0600');
    }
    for (const foreign of [
      'http://evil.example',
      'http://127.0.0.1.evil.example',
      'http://127.0.0.1@evil.example',
    ]) {
      await startedHere(JSON.stringify({ base_url: foreign }));
      await expect(read()).rejects.toMatchObject({ exitCode: 3 });
    }
  });

  it.each(['{', '{}', '[]', '{"base_url":1}'])('is not guessed from a damaged file: %s', async (text) => {
    await startedHere(text);
    await expect(read()).rejects.toMatchObject({ exitCode: 3 });
  });
});
