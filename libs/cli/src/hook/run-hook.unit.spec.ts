import { jest } from '@jest/globals';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { runHook } from './run-hook.js';

describe('the file of rules', () => {
  let folder: string;
  let rules: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'al-rules-'));
    rules = join(folder, 'hook.json');
    await writeFile(rules, '{"version":1,"rules":[{"tools":["*"],"pass":true}]}', { mode: 0o644 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const why = () => {
    const call = { hook_event_name: 'PreToolUse', tool_name: 'Read', tool_input: {}, cwd: '/' };
    return runHook(
      { host: 'claude-code', rules, keyFile: undefined, baseUrl: undefined, retryForMs: 0 },
      { env: {}, stdin: Readable.from([JSON.stringify(call)]), parent: () => 1 },
    );
  };

  it('lets calls pass when it is the user’s own', async () => {
    expect(await why()).toBeNull();
  });

  it('blocks every call when all may write it', async () => {
    await chmod(rules, 0o666);
    expect(await why()).toMatch(/^the rules in .+ cannot be used: they can be changed by others/);
  });

  it('blocks every call when it is of another user', async () => {
    // As root the file can be given away; as anybody else this process can only look like another user.
    const own = process.getuid?.();
    if (own === 0) await chown(rules, 65_534, 65_534);
    const user = jest.spyOn(process, 'getuid').mockReturnValue(own === 0 ? 0 : 65_534);
    expect(await why()).toMatch(/they can be changed by others/);
    user.mockRestore();
  });
});
