import { maskedInput } from './masked-input.js';
import { defaultRules, judge, readRules } from './rules.js';
import { hosts } from './hosts.js';
import { type JsonObject, readToolCall, type ToolCall } from './tool-call.js';
import { hookLine } from './hook-line.js';
import { isAtLeast } from './host-program.js';

const rules = readRules(JSON.stringify(defaultRules));
const call = (tool: string, input: JsonObject = {}, host: ToolCall['host'] = 'claude-code'): ToolCall => ({
  ...{ host, tool, input, cwd: '/work' },
});
const file = (...own: unknown[]) => readRules(JSON.stringify({ version: 1, rules: own }));

describe('the rules that a new file has', () => {
  it.each([
    ['Bash', 'tool.shell'],
    ['Write', 'tool.file.write'],
    ['Edit', 'tool.file.write'],
    ['apply_patch', 'tool.file.write'],
    ['WebFetch', 'tool.web'],
    ['mcp__git hub__delete_repo', 'tool.mcp.git-hub.delete_repo'],
    ['Monitor', 'tool.other.Monitor'],
    ['toString', 'tool.other.toString'],
    ['../..', 'tool.other.--/--'],
  ])('ask for %s as %s', (tool, actionType) => {
    expect(judge(call(tool), rules)).toEqual({ pass: false, actionType });
  });

  it('let reading pass, and only the tools of that host', () => {
    expect(judge(call('Read', { file_path: '/work/.claude/settings.json' }), rules)).toEqual({ pass: true });
    expect(judge(call('read', {}, 'opencode'), rules)).toEqual({ pass: true });
    expect(judge(call('Read', {}, 'codex'), rules)).toMatchObject({ pass: false });
  });
});

describe('a file of rules', () => {
  it('is read in order, with expressions that must match from begin to end', () => {
    const own = file(
      { tools: ['Bash'], when: { command: 'git (status|diff)' }, pass: true },
      { tools: ['B*h'], action_type: '{host}.{tool}' },
      { tools: ['*'], pass: true },
    );
    expect(judge(call('Bash', { command: 'git status' }), own)).toEqual({ pass: true });
    for (const command of ['git status; rm -rf /', 'git status\nrm -rf /', 'x git diff', 7])
      expect(judge(call('Bash', { command }), own)).toEqual({ pass: false, actionType: 'claude-code.Bash' });
    expect(judge(call('Bash'), own)).toMatchObject({ pass: false });
    expect(judge(call('Read'), own)).toEqual({ pass: true });
  });

  it('never lets the gate itself be changed', () => {
    const own = file({ tools: ['*'], pass: true });
    for (const path of [
      '/work/.claude/settings.local.json',
      '~/.codex/config.toml',
      '/home/a/.config/agentlattice/hook.json',
      '/work/.opencode/plugin/agentlattice.js',
      'opencode.json',
    ]) {
      expect(judge(call('Write', { file_path: path }), own)).toEqual({
        pass: false,
        actionType: 'tool.gate',
      });
      expect(judge(call('Bash', { command: ['sed', `-i x ${path}`] }), own)).toMatchObject({ pass: false });
      expect(judge(call('Read', { file_path: path }), own)).toEqual({ pass: true });
    }
    expect(judge(call('Write', { file_path: '/src/agentlattice-approvals/a.ts' }), own)).toEqual({
      pass: true,
    });
  });

  it('may hold comments', () => {
    expect(readRules('// ours\n{"version":1,"rules":[{"tools":["Read"],"pass":true},]}').rules).toHaveLength(
      1,
    );
  });

  it.each([
    ['', /not JSON/],
    ['{"version":1,"rules":[}', /not JSON/],
    ['[]', /expected object/],
    ['{"version":1,"rules":[],"rules":[]}', /second member "rules"/],
    ['{"version":2,"rules":[]}', /version/],
    ['{"version":1}', /rules/],
    ['{"version":1,"rules":[],"rule":[]}', /rule/],
    ['{"version":1,"rules":[{"tools":["Bash"],"pas":true}]}', /pas/],
    ['{"version":1,"rules":[{"tools":["Bash"]}]}', /either/],
    ['{"version":1,"rules":[{"tools":["Bash"],"pass":false}]}', /rules\.0\.pass/],
    ['{"version":1,"rules":[{"tools":["Bash"],"pass":true,"action_type":"a"}]}', /either/],
    ['{"version":1,"rules":[{"tools":[],"pass":true}]}', /tools/],
    ['{"version":1,"rules":[{"tools":["Bash"],"action_type":"a b"}]}', /dot-notation/],
    ['{"version":1,"rules":[{"tools":["Bash"],"when":{"command":"("},"pass":true}]}', /RE2/],
    ['{"version":1,"wait":"10m","rules":[]}', /from 1s to 9m/],
  ])('that is wrong is refused: %s', (text, why) => {
    expect(() => readRules(text)).toThrow(why);
  });
});

describe('what is sent', () => {
  const own = readRules(
    '{"version":1,"rules":[],"mask":["Token"],"mask_text":["Bearer [a-z0-9]+","sk-[a-z]+"]}',
  );
  it('holds no masked value, and another value is another call', () => {
    const sent = (secret: string) =>
      maskedInput(
        { token: secret, deep: [{ TOKEN: [secret] }], command: `curl -H "Bearer ${secret}" sk-${secret} x` },
        own,
        'key',
      );
    const text = JSON.stringify(sent('hidden'));
    expect(text).not.toContain('hidden');
    expect(text).toMatch(/curl -H \\"\[masked [0-9a-f]{32}\]\\" \[masked [0-9a-f]{32}\] x/);
    expect(sent('hidden')).toEqual(sent('hidden'));
    expect(sent('other')).not.toEqual(sent('hidden'));
    expect(maskedInput({ token: 'a' }, own, 'one key')).not.toEqual(maskedInput({ token: 'a' }, own, 'two'));
  });

  it('names a long text by its digest', () => {
    const long = (end: string) => maskedInput({ content: `${'x'.repeat(20_000)}${end}` }, own, 'key');
    expect(JSON.stringify(long('a')).length).toBeLessThan(5_000);
    expect(long('a')).not.toEqual(long('b'));
  });
});

describe('what a host writes', () => {
  const stdin = (more: object = {}) =>
    JSON.stringify({
      ...{ session_id: 's', hook_event_name: 'PreToolUse', tool_name: 'Bash', cwd: '/w' },
      ...{ tool_input: { command: 'ls', description: 'looks around' }, tool_use_id: 'toolu_1' },
      ...more,
    });
  it('is read, without what the model says about its call', () => {
    for (const host of ['claude-code', 'codex'] as const)
      expect(readToolCall(host, stdin())).toMatchObject({ host, tool: 'Bash', cwd: '/w' });
    expect(readToolCall('claude-code', stdin()).input).toEqual({ command: 'ls' });
    const ours = JSON.stringify({ tool: 'bash', args: { command: 'ls', description: 'x' }, cwd: '/w' });
    expect(readToolCall('opencode', ours)).toEqual({
      ...{ host: 'opencode', tool: 'bash', input: { command: 'ls' }, cwd: '/w' },
    });
  });

  it.each([
    '',
    'null',
    '{',
    '[]',
    '{}',
    stdin({ hook_event_name: 'PostToolUse' }),
    stdin({ tool_input: 'ls' }),
    stdin({ tool_name: '' }),
    stdin({ tool_name: 7 }),
    stdin({ cwd: undefined }),
  ])('in another form is refused: %s', (text) => {
    for (const host of hosts) expect(() => readToolCall(host, text)).toThrow(/the host/);
  });

  it.each(['{"command":"ls","__proto__":{"workdir":"/etc"}}', '{"list":[{"__proto__":null}]}'])(
    'with a member that nobody would be shown is refused: %s',
    (input) => {
      const hidden = stdin({ tool_input: 'INPUT' }).replace('"INPUT"', input);
      expect(() => readToolCall('claude-code', hidden)).toThrow(/__proto__/);
      const ours = `{"tool":"bash","args":${input},"cwd":"/w"}`;
      expect(() => readToolCall('opencode', ours)).toThrow(/__proto__/);
    },
  );
});

describe('the line', () => {
  const command = {
    host: 'codex',
    program: ['/n ode', '/al.mjs'],
    rules: '/r',
    baseUrl: 'http://h',
    keyFile: '/k',
  } as const;
  it('opens by one word alone, whatever shell reads it', () => {
    expect(hookLine(command)).toBe(
      `sh -c '[ "$("/n ode" "/al.mjs" "hook" "codex" "--rules" "/r" "--base-url" "http://h" "--key-file" "/k")" = cleared ] || { echo "AgentLattice blocks this call: its hook did not clear it." >&2; exit 2; }'`,
    );
  });
  it.each(["/it's", '/a"b', '/$HOME', '/`id`', '/a\\b', '/a\nb'])('does not hold %j', (rules) => {
    expect(() => hookLine({ ...command, rules })).toThrow('holds a character that shells change');
  });
});

it.each([
  ['2.1.295', true],
  ['2.1.294', false],
  ['2.2.0', true],
  ['3.0.0', true],
  ['2.0.999', false],
  ['1.9.999', false],
])('version %s is new enough: %s', (version, is) => {
  expect(isAtLeast(version, '2.1.295')).toBe(is);
});
