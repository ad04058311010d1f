// OpenAI Agents SDK (`@openai/agents`). Function tools are plain objects there, so nothing of it is imported.
import type { AgentLattice, JsonObject } from '@agentlattice/sdk';
import { type GateToolsOptions, type ToolCall, ToolCallRefused, ToolGate } from './tool-gate.js';

interface CallDetails {
  readonly toolCall?: { readonly callId: string };
  readonly signal?: AbortSignal;
}
/** What is needed of a function tool; `tool()` and MCP servers make them. */
interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly invoke: (context: never, input: string, details?: CallDetails) => Promise<unknown>;
  readonly needsApproval: (context: never, input: never, callId?: string) => Promise<boolean>;
}
/** An interruption of a run (`result.interruptions`), as far as it names the call. */
interface Interruption {
  readonly rawItem: object;
}

export interface GatedTools<Tools> {
  /** In place of the tools that were given. */
  readonly tools: Tools;
  /**
   * Waits until the calls that interrupted a run are decided. The program then approves each of them in the run's state, whatever
   * was decided, and resumes the run: the gate runs what is cleared and answers what is not.
   */
  readonly decided: (
    interruptions: readonly Interruption[],
    options?: { signal?: AbortSignal },
  ) => Promise<void>;
}

/**
 * Puts a gate before function tools. `state.approve` of a run only resumes it: each call is judged by the system when it is about
 * to run, also after `alwaysApprove`.
 */
export function gateTools<const Tools extends readonly object[]>(
  al: AgentLattice,
  tools: Tools,
  options: GateToolsOptions = {},
): GatedTools<Tools> {
  const gate = new ToolGate(al, options);
  const gated = tools.map((tool) =>
    isFunctionTool(tool) && gate.covers(tool.name) ? gatedTool(gate, tool) : passedOn(gate, tool),
  );
  return {
    tools: gated as readonly object[] as Tools,
    decided: async (interruptions, waiting = {}) => {
      for (const { rawItem } of interruptions) {
        const { name, callId, arguments: input } = rawItem as Record<string, unknown>;
        if (typeof name !== 'string' || !gate.covers(name)) continue;
        await gate.decided(callOf(name, String(input), String(callId)), waiting);
      }
    },
  };
}

function gatedTool(gate: ToolGate, tool: FunctionTool): FunctionTool {
  return {
    ...tool,
    // The tool's own limit is for its run, not for the wait: the inner call keeps it.
    ...{ timeoutMs: undefined },
    needsApproval: async (context, input, callId) =>
      (await tool.needsApproval(context, input, callId)) ||
      (gate.pauses && (await gate.waiting(callOf(tool.name, JSON.stringify(input), callId))) !== undefined),
    invoke: async (context, input, details) => {
      try {
        const call = callOf(tool.name, input, details?.toolCall?.callId);
        // Without the mark (a symbol) that the limit is already enforced.
        const inner: CallDetails = Object.fromEntries(Object.entries(details ?? {}));
        return await gate.run(call, () => tool.invoke(context, input, inner), { signal: details?.signal });
      } catch (error) {
        if (error instanceof ToolCallRefused) return error.message;
        throw error;
      }
    },
  };
}

/** @throws TypeError for a tool that was named to be gated and cannot be: it runs at the model's provider */
function passedOn(gate: ToolGate, tool: object): object {
  const { name = '', type = '' } = tool as { readonly name?: string; readonly type?: string };
  if (type !== 'function' && gate.covers(name))
    throw new TypeError(`The tool ${name} (${type}) is no function tool; name the tools to gate in \`only\``);
  return tool;
}

const isFunctionTool = (tool: object): tool is FunctionTool => 'type' in tool && tool.type === 'function';

function callOf(name: string, input: string, callId: string | undefined): ToolCall {
  if (callId === undefined) throw new Error(`A call of ${name} has no id, so it cannot be gated`);
  return { id: callId, name, arguments: argumentsIn(input) };
}

function argumentsIn(input: string): JsonObject {
  try {
    return JSON.parse(input) as JsonObject;
  } catch {
    throw new ToolCallRefused('INVALID_ARGUMENTS', 'its arguments are not JSON');
  }
}
