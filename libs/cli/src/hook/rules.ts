import { durationMs } from '@agentlattice/contracts';
import { RE2JS } from 're2js';
import { z } from 'zod';
import { hosts } from './hosts.js';
import { readJsonc } from './jsonc.js';
import type { Json, JsonObject, ToolCall } from './tool-call.js';

/** A hook ends before the limit of 600 s that hosts set when they are told nothing else. */
export const longestWaitMs = 540_000;

const pattern = z.string().min(1).max(1_000).refine(compiles, 'is not a regular expression of RE2');
const list = <T extends z.ZodType>(of: T) => z.array(of).max(200);
const match = {
  /** Names of tools; `*` stands for any characters. */
  tools: list(z.string().min(1).max(255)).min(1),
  hosts: list(z.enum(hosts)).min(1).optional(),
  /** Members of the input that must match these expressions from begin to end; a member that is no text does not match. */
  when: z.record(z.string(), pattern).optional(),
};
const rule = z
  .strictObject({
    ...match,
    pass: z.literal(true).optional(),
    action_type: z
      .string()
      .max(200)
      .regex(
        /^([A-Za-z0-9_:/-]|\{(tool|server|host)\})+(\.([A-Za-z0-9_:/-]|\{(tool|server|host)\})+)*$/,
        'is dot-notation, with {tool}, {server} and {host} where they are wanted',
      )
      .optional(),
  })
  .refine(
    ({ pass, action_type }) => (pass === true) !== (action_type !== undefined),
    'has either "pass": true or an "action_type"',
  );
const rulesFile = z.strictObject({
  version: z.literal(1),
  /** How long a call waits for a person. */
  wait: z
    .string()
    .refine((value) => {
      const ms = durationMs(value);
      return ms !== null && ms >= 1_000 && ms <= longestWaitMs;
    }, 'is a duration from 1s to 9m')
    .default('9m'),
  /** The first rule that matches counts; a call that none matches is asked for. */
  rules: list(rule),
  /** Members of the input, at any depth, whose values are not sent. */
  mask: list(z.string().min(1).max(255)).default([]),
  /** Parts of texts that are not sent. */
  mask_text: list(pattern).default([]),
});
export type Rules = z.infer<typeof rulesFile>;

/** What a new file says. */
export const defaultRules = {
  version: 1,
  wait: '9m',
  rules: [
    {
      tools: ['Read', 'Glob', 'Grep', 'LS', 'NotebookRead', 'BashOutput', 'TaskOutput', 'ToolSearch'],
      hosts: ['claude-code'],
      pass: true,
    },
    {
      tools: ['TodoWrite', 'TaskCreate', 'TaskGet', 'TaskList', 'TaskUpdate', 'AskUserQuestion'],
      hosts: ['claude-code'],
      pass: true,
    },
    {
      tools: ['Task', 'Agent', 'Skill', 'EnterPlanMode', 'ExitPlanMode'],
      hosts: ['claude-code'],
      pass: true,
    },
    { tools: ['update_plan', 'view_image', 'request_user_input'], hosts: ['codex'], pass: true },
    {
      tools: ['read', 'glob', 'grep', 'list', 'todowrite', 'todoread', 'task', 'skill', 'question'],
      hosts: ['opencode'],
      pass: true,
    },
    { tools: ['Bash', 'bash'], action_type: 'tool.shell' },
    {
      tools: ['Write', 'Edit', 'MultiEdit', 'NotebookEdit', 'write', 'edit', 'patch', 'apply_patch'],
      action_type: 'tool.file.write',
    },
    { tools: ['WebFetch', 'WebSearch', 'webfetch', 'websearch'], action_type: 'tool.web' },
    { tools: ['mcp__*'], action_type: 'tool.mcp.{server}.{tool}' },
  ],
  mask: ['password', 'passwd', 'secret', 'token', 'api_key', 'apikey', 'authorization', 'cookie'],
  mask_text: ['(?i)bearer [a-z0-9._~+/-]{8,}', 'AKIA[0-9A-Z]{16}', 'al_(agent|svc|op)_[A-Za-z0-9_-]{20,}'],
} as const;

/** Reads a file of rules. It may hold comments. @throws Error saying what is wrong */
export function readRules(text: string): Rules {
  const { value, fault } = readJsonc(text);
  if (fault !== null) throw new Error(fault);
  const result = rulesFile.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not known'}`);
}

export type Judged = { readonly pass: true } | { readonly pass: false; readonly actionType: string };

/** Whether a call passes, or the type of the action to ask for. */
export function judge(call: ToolCall, rules: Rules): Judged {
  const found = rules.rules.find(
    (one) =>
      (one.hosts?.includes(call.host) ?? true) &&
      one.tools.some((name) => globMatches(name, call.tool)) &&
      Object.entries(one.when ?? {}).every(([name, wanted]) => textMatches(wanted, call.input[name])),
  );
  if (found === undefined) return { pass: false, actionType: filled('tool.other.{tool}', call) };
  if (found.action_type !== undefined) return { pass: false, actionType: filled(found.action_type, call) };
  // A rule that lets calls through never lets the gate itself be changed.
  return touchesGate(call.input) && !readsOnly.has(call.tool)
    ? { pass: false, actionType: 'tool.gate' }
    : { pass: true };
}

const readsOnly: ReadonlySet<string> = new Set([
  'Read',
  'Glob',
  'Grep',
  'LS',
  'read',
  'glob',
  'grep',
  'list',
]);
/** Files that decide whether this hook runs. */
const gateFiles =
  /agentlattice[/\\](hook|agent)|agentlattice\.js|\.claude[/\\]settings|\.claude\.json|\.codex[/\\]|\.opencode[/\\]|config[/\\]opencode|opencode\.jsonc?/i;

function touchesGate(value: Json): boolean {
  if (typeof value === 'string') return gateFiles.test(value);
  return value !== null && typeof value === 'object' && Object.values(value as JsonObject).some(touchesGate);
}

function globMatches(glob: string, name: string): boolean {
  const parts = glob.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`));
  return RE2JS.compile(parts.join('(?s:.*)')).matches(name);
}

const textMatches = (expression: string, value: Json | undefined) =>
  typeof value === 'string' && RE2JS.compile(expression, RE2JS.DOTALL).matches(value);

function compiles(expression: string): boolean {
  try {
    RE2JS.compile(expression);
    return true;
  } catch {
    return false;
  }
}

function filled(template: string, { host, tool }: ToolCall): string {
  const [, server = 'none', name = tool] = /^mcp__(.+?)__(.+)$/s.exec(tool) ?? [];
  const word = (text: string) => text.replaceAll(/[^A-Za-z0-9_:/-]/g, '-').slice(0, 80);
  return template
    .replaceAll('{server}', word(server))
    .replaceAll('{tool}', word(name))
    .replaceAll('{host}', host)
    .slice(0, 255);
}
