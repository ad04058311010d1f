import { z } from 'zod';
import type { Host } from './hosts.js';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** One call of a tool that a coding agent is about to make. */
export interface ToolCall {
  readonly host: Host;
  readonly tool: string;
  readonly input: JsonObject;
  readonly cwd: string;
}

const json: z.ZodType<Json> = z.json();
const input = z.record(z.string(), json);
const text = z.string().min(1).max(4_096);

/** Claude Code and Codex send the same members; what else they send is not needed. */
const preToolUse = z.object({
  hook_event_name: z.literal('PreToolUse'),
  tool_name: text,
  tool_input: input,
  cwd: text,
});
/** Written by our own plugin. */
const pluginCall = z.object({ tool: text, args: input, cwd: text });

/**
 * What the model says about its call changes from one try to the next and has no effect, so it is not part of the call that
 * is asked for.
 */
const commentary: Readonly<Record<string, readonly string[]>> = {
  'claude-code Bash': ['description'],
  'opencode bash': ['description'],
};

/** Reads the call from what a host writes to its hook. @throws Error saying what is wrong */
export function readToolCall(host: Host, stdin: string): ToolCall {
  const read = readHostCall(host, parsed(stdin));
  const dropped = commentary[`${host} ${read.tool}`] ?? [];
  const kept = Object.entries(read.input).filter(([name]) => !dropped.includes(name));
  return { host, ...read, input: Object.fromEntries(kept) };
}

function readHostCall(host: Host, value: unknown): Omit<ToolCall, 'host'> {
  if (host === 'opencode') {
    const { tool, args, cwd } = checked(pluginCall, value);
    return { tool, input: args, cwd };
  }
  const { tool_name, tool_input, cwd } = checked(preToolUse, value);
  return { tool: tool_name, input: tool_input, cwd };
}

function parsed(stdin: string): unknown {
  let hasPrototype = false;
  let value: unknown;
  try {
    value = JSON.parse(stdin, (name, member: unknown) => {
      hasPrototype ||= name === '__proto__';
      return member;
    });
  } catch {
    throw new Error('the host did not describe the call in JSON');
  }
  // The schemas drop this member without a word, so the person would not see it, nor would the approval be bound to it.
  if (hasPrototype) throw new Error('the host described a call with a member __proto__, which no tool needs');
  return value;
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(
    `the host described the call in a form that is not known (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`,
  );
}
