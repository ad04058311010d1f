import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runHere } from '../test/fake-terminal.js';

const env = { AL_API_KEY: 'al_agent_x' };

it.each([
  [['gate'], "missing required argument 'action'"],
  [['gate', 'a', 'b'], 'too many arguments'],
  [['gate', 'a', '--timeout', '45'], 'Give a duration such as 90s, 45m or 8h.'],
  [['gate', 'a', '--timeout', '0s'], 'Give a duration'],
  [['gate', 'a', '--event-id', 'two\nlines'], 'printable ASCII'],
  [['gate', 'a', '--metadata', '{'], '--metadata is not JSON'],
  [['gate', 'a', '--metadata', '[]'], '--metadata must be a JSON object.'],
  [['gate', 'a', '--metadata', '@/no/such/file'], '/no/such/file cannot be read (ENOENT)'],
  [['gate', 'a', '--data-accessed', '[1]'], '--data-accessed must be a JSON list of objects.'],
  [['gate', 'a', '--'], 'there must be one'],
  [['approvals', 'list', '--', 'x'], 'belongs to al gate'],
  [['approvals', 'list', '--limit', '0'], 'Give a number from 1.'],
  [['approvals', 'list', '--status', 'open'], 'Allowed choices are pending'],
  [['approvals', 'approve', 'apr_1', '--for', 'all'], 'Allowed choices are policy, action_type'],
  [['approvals', 'deny'], "missing required argument 'id'"],
  [['gates'], "unknown command 'gates'"],
  [['approvals', 'list', '--jsno'], "unknown option '--jsno'"],
])('%j is refused with a reason', async (args, why) => {
  const { code, out, said } = await runHere(args, { env });
  expect({ code, out }).toEqual({ code: 3, out: '' });
  expect(said).toContain(why);
});

it.each(['@', '-'])('input by %s that is not UTF-8 is refused', async (by) => {
  const folder = await mkdtemp(join(tmpdir(), 'al-utf8-'));
  const bytes = Buffer.from('{"to":"\xff"}', 'latin1');
  const file = join(folder, 'said.json');
  await writeFile(file, bytes);
  const given = by === '-' ? by : `@${file}`;
  const { code, out, said } = await runHere(['gate', 'a', '--metadata', given], { env, stdin: bytes });
  expect({ code, out }).toEqual({ code: 3, out: '' });
  expect(said).toMatch(/^al: --metadata: .+ is not UTF-8\. Save it as UTF-8 and try again\.\n$/);
  await rm(folder, { recursive: true });
});

it.each([
  [{}, 'AL_API_KEY is not set'],
  [{ AL_API_KEY: 'two words' }, 'AL_API_KEY is not a key'],
  [{ ...env, AL_BASE_URL: 'ftp://here' }, 'AL_BASE_URL must be a URL'],
])('%j is not a configuration', async (wrong, why) => {
  const { code, said } = await runHere(['approvals', 'list'], { env: wrong });
  expect(code).toBe(3);
  expect(said).toContain(why);
});

it('prints faults as a JSON document when --json is given', async () => {
  for (const args of [
    ['approvals', 'list', '--json'],
    ['gate', '--json'],
  ]) {
    const { code, out } = await runHere(args);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toEqual({ error: null, message: expect.any(String) as string, exit_code: 3 });
  }
});

it.each([[['--help']], [['gate', '--help']], [['--version']]])('%j is an answer', async (args) => {
  const { code, out } = await runHere(args);
  expect(code).toBe(0);
  expect(out).not.toBe('');
});

it('prints its help when it is called without arguments', async () => {
  const { code, said } = await runHere([]);
  expect(code).toBe(3);
  expect(said).toContain('Exit codes:');
});

it.each(['', 'x', 'name+00000000+AAAA'])(
  'a trusted key that is none is no damage of the archive: “%s”',
  async (key) => {
    const { code, out, said } = await runHere(['audit', 'verify', '/no/archive.tar.gz', '--key', key]);
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(said).toContain('--key is no verifier key');
  },
);
