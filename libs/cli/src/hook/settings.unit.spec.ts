import { parse } from 'smol-toml';
import { claudeState, withClaudeHook, withoutClaudeHook } from './claude-settings.js';
import {
  codexFaults,
  codexLine,
  withCodexHook,
  withCodexTrust,
  withoutCodexHook,
  withoutCodexTrust,
} from './codex-config.js';
import { hookLine } from './hook-line.js';
import { opencodePlugin, wordsInPlugin } from './opencode-plugin.js';

const command = (rules: string) => ({
  ...({
    host: 'codex',
    program: ['/node', '/al.mjs'],
    rules,
    baseUrl: 'http://h',
    keyFile: undefined,
  } as const),
});
const line = hookLine(command('/rules'));
const newer = hookLine(command('/newer'));

describe('settings of Claude Code', () => {
  const theirs = `{
  // mine
  "permissions": { "allow": ["Bash(ls)"] }, /* kept */
  "hooks": {
    "PreToolUse": [
      { "matcher": "Write", "hooks": [{ "type": "command", "command": "lint" }] } // also mine
    ],
    "Stop": []
  },
  "z": 1
}
`;
  it.each([
    ['nothing', ''],
    ['an object', '{}\n'],
    ['others’ hooks', theirs],
  ])('with %s: the hook is added, is brought up to date in place, and is taken out again', (_, text) => {
    const once = withClaudeHook(text, line);
    expect(withClaudeHook(once, line)).toBe(once);
    expect(claudeState(once)).toEqual({ line, faults: [] });
    const updated = withClaudeHook(once, newer);
    expect(updated).toBe(once.replace('/rules', '/newer'));
    const without = withoutClaudeHook(updated);
    expect(claudeState(without)).toBeNull();
    expect(without.replaceAll(/\s/g, '')).toBe((text === '' ? '{}' : text).replaceAll(/\s/g, ''));
    expect(withoutClaudeHook(text)).toBe(text);
  });

  it('keep what stands around one of ours, wherever it is', () => {
    const ours = JSON.stringify({ hooks: [{ type: 'command', command: line }] });
    const around = (list: string) => `{"hooks":{"PreToolUse":[${list}]},"a":1}`;
    expect(withoutClaudeHook(around(`/*a*/${ours}/*b*/,/*c*/{"x":1}`))).toBe(around('/*a*//*c*/{"x":1}'));
    expect(withoutClaudeHook(around(`{"x":1}/*a,*/,/*b*/${ours}/*c*/,{"y":1}`))).toBe(
      around('{"x":1}/*a,*//*b*//*c*/,{"y":1}'),
    );
    expect(withoutClaudeHook(around(`{"x":1},${ours},${ours}`))).toBe(around('{"x":1}'));
  });

  it.each([
    ['{"hooks":{"PreToolUse":[OURS]},}', '{}'],
    ['{"hooks":{"PreToolUse":[OURS,],},}', '{}'],
    ['{"hooks":{"PreToolUse":[OURS]/*a*/,}/*b*/,/*c*/}', '{/*c*/}'],
    ['{"a":1,"hooks":{"Stop":[],"PreToolUse":[OURS,],},}', '{"a":1,"hooks":{"Stop":[],},}'],
    ['{"hooks":{"PreToolUse":[{"x":1}, // mine\nOURS]}}', '{"hooks":{"PreToolUse":[{"x":1} // mine\n]}}'],
  ])('are still JSON without ours, wherever commas and comments stand: %s', (text, left) => {
    const ours = JSON.stringify({ hooks: [{ type: 'command', command: line }] });
    const without = withoutClaudeHook(text.replace('OURS', () => ours));
    expect(without).toBe(left);
    expect(claudeState(without)).toBeNull();
  });

  it.each([
    '{"hooks":{},"hooks":{"PreToolUse":[]}}',
    '{"hooks":{"PreToolUse":[],"Stop":[],"PreToolUse":[]}}',
    '{"a":{"b":1},"c":[{"b":1,"\\u0062":2}]}',
  ])('with a member twice are left alone, because readers differ on which one holds: %s', (text) => {
    expect(() => withClaudeHook(text, line)).toThrow('it has a second member');
    expect(() => claudeState(text)).toThrow('it has a second member');
  });

  it('keep comments and order', () => {
    const once = withClaudeHook(theirs, line);
    for (const kept of ['// mine', '/* kept */', '// also mine', '"Bash(ls)"', '"Stop": []'])
      expect(once).toContain(kept);
    expect(once.indexOf('"permissions"')).toBeLessThan(once.indexOf('"hooks"'));
  });

  it.each(['{', '[]', '{"hooks":[]}', '{"hooks":{"PreToolUse":{}}}', '{"a":1}{"b":2}'])(
    'that are not understood are left alone: %s',
    (text) => {
      expect(() => withClaudeHook(text, line)).toThrow();
      expect(() => withoutClaudeHook(text)).toThrow();
    },
  );

  it.each([
    ['"onFailure": "block"', '"onFailure": "allow"', /onFailure/],
    ['"timeout": 86400', '"timeout": 60', /timeout/],
    ['"type": "command"', '"type": "command", "async": true', /async/],
    ['"type": "command"', '"type": "command", "if": "Bash(git *)"', /"if"/],
    ['"hooks": [', '"matcher": "Bash", "hooks": [', /matcher/],
    ['{', '{"disableAllHooks": true,', /disableAllHooks/],
    ['exit 2; }', 'exit 2; } || true', /was changed/],
    ['= cleared ]', '!= cleared ]', /was changed/],
    ["sh -c '", "true # sh -c '", /was changed/],
    [String.raw`\"/node\" \"/al.mjs\" \"hook\"`, String.raw`\"echo\" \"cleared\"`, /was changed/],
    ['"type": "command"', '"type": "prompt"', /type/],
  ])('that do not hold every call are found: %s', (from, to, fault) => {
    const text = withClaudeHook('', line).replace(from, to);
    expect(claudeState(text)?.faults).toEqual([expect.stringMatching(fault)]);
  });
});

describe('the configuration of Codex', () => {
  const theirs = `# mine
model = "gpt" # kept
[features]  # some
web = true

[[hooks.PreToolUse]]
matcher = "^Bash$"
[[hooks.PreToolUse.hooks]]
type = "command"
command = '''lint'''
`;
  const trust = { key: '/c/config.toml:pre_tool_use:1:0', hash: 'sha256:1' };
  it.each([
    ['nothing', ''],
    ['no end of line', 'a = 1'],
    ['others’ hooks', theirs],
  ])('with %s: the hook is added, is brought up to date, and is taken out again', (_, text) => {
    const once = withCodexHook(text, line);
    expect(withCodexHook(once, line)).toBe(once);
    expect(codexLine(once)).toBe(line);
    expect(parse(once)).toMatchObject({ features: { unified_exec_tty: false } });
    const trusted = withCodexTrust(once, trust);
    expect(withCodexTrust(trusted, trust)).toBe(trusted);
    expect(parse(trusted)).toMatchObject({ hooks: { state: { [trust.key]: { trusted_hash: 'sha256:1' } } } });
    const updated = withCodexHook(trusted, newer);
    expect(codexLine(updated)).toBe(newer);
    expect(withoutCodexTrust(updated, '/other/config.toml')).toBe(updated);
    const without = withoutCodexHook(withoutCodexTrust(updated, '/c/config.toml'));
    expect(without).toBe(text === '' || text.endsWith('\n') ? text : `${text}\n`);
    expect(codexLine(without)).toBeNull();
  });

  it.each([
    ['type = "command"', 'type = "command"\nasync = true', /"async"/],
    ['type = "command"', 'type = "prompt"', /type/],
    ['[[hooks.PreToolUse]]', '[[hooks.PreToolUse]]\nmatcher = "^Bash$"', /matcher/],
    ['timeout = 86400', 'timeout = 60', /timeout/],
    ['= cleared ]', '!= cleared ]', /was changed/],
  ])('that does not hold every call is found: %s', (from, to, fault) => {
    const text = withCodexHook('', line);
    expect(codexFaults(text)).toEqual([]);
    expect(codexFaults(text.replace(from, to))).toEqual([expect.stringMatching(fault)]);
  });

  it.each([
    ['is no TOML', 'a = = 1'],
    ['cannot be extended', 'hooks = { PreToolUse = [] }'],
    ['has features of another form', 'features = { web = true }'],
    ['wants terminals', '[features]\nunified_exec_tty = true\n'],
    ['has half a block', withCodexHook('', line).replace('# <<< AgentLattice hook\n', '')],
  ])('that %s is left alone', (_, text) => {
    expect(() => withCodexHook(text, newer)).toThrow();
  });
});

it('the plugin of opencode starts the program without a shell', () => {
  const text = opencodePlugin({ ...command('/it’s "mine"'), host: 'opencode' });
  expect(text).toContain('"/it’s \\"mine\\""');
  expect(text).not.toContain('shell');
});

it('a plugin of opencode that was changed is found', () => {
  const text = opencodePlugin({ ...command('/rules'), host: 'opencode' });
  expect(wordsInPlugin(text)).toContain('/rules');
  expect(wordsInPlugin(text.replace('else blocked(said)', 'else resolve()'))).toBeNull();
  expect(
    wordsInPlugin(text.replace('"/node"', '"echo"').replace(/args = .*;/, 'args = ["cleared"];')),
  ).toBeNull();
  expect(wordsInPlugin(`${text}clear = undefined;`)).toBeNull();
});
