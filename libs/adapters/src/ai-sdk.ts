// AI SDK (`ai` 7). Tools and approvals are plain objects there, so nothing of it is imported.
import type { AgentLattice, JsonObject } from '@agentlattice/sdk';
import { type GateToolsOptions, ToolGate } from './tool-gate.js';

interface Execution {
  readonly toolCallId: string;
  readonly abortSignal?: AbortSignal | undefined;
}
type Execute = (input: unknown, options: Execution) => unknown;
type ApprovalStatus = 'not-applicable' | { readonly type: 'user-approval'; readonly reason: string };

export interface GatedTools<Tools extends object> {
  /** In place of the tools that were given. */
  readonly tools: Tools;
  /** For `toolApproval` of `generateText`, `streamText` or an agent. It pauses only with `pause: true`. */
  readonly toolApproval: {
    readonly [name in keyof Tools]?: (
      input: unknown,
      options: { readonly toolCallId: string },
    ) => Promise<ApprovalStatus>;
  };
  /** Tells when a call that paused is decided. */
  readonly gate: ToolGate;
}

/**
 * Puts a gate before the tools of the AI SDK. What a client sends back as an approval only resumes the run: each call is judged
 * by the system when it is about to run.
 * @throws TypeError for a gated tool without `execute`: it runs elsewhere, where this gate cannot hold it
 */
export function gateTools<Tools extends object>(
  al: AgentLattice,
  tools: Tools,
  options: GateToolsOptions = {},
): GatedTools<Tools> {
  const gate = new ToolGate(al, options);
  const callOf = (name: string, input: unknown, { toolCallId }: Pick<Execution, 'toolCallId'>) => ({
    id: toolCallId,
    name,
    arguments: input as JsonObject,
  });
  const gated = Object.entries(tools as Record<string, { readonly execute?: Execute }>)
    .filter(([name]) => gate.covers(name))
    .map(([name, tool]) => {
      const { execute } = tool;
      if (typeof execute !== 'function')
        throw new TypeError(`The tool ${name} has no execute function; name the tools to gate in \`only\``);
      const held: Execute = (input, execution) =>
        gate.run(callOf(name, input, execution), () => lastOf(execute.call(tool, input, execution)), {
          signal: execution.abortSignal,
        });
      const approval = async (input: unknown, call: { readonly toolCallId: string }) => {
        const waiting = gate.pauses ? await gate.waiting(callOf(name, input, call)) : undefined;
        return waiting === undefined
          ? 'not-applicable'
          : { type: 'user-approval', reason: `waits for a person: ${waiting.approvalId}` };
      };
      return { name, tool: { ...tool, execute: held }, approval };
    });
  return {
    tools: { ...tools, ...Object.fromEntries(gated.map(({ name, tool }) => [name, tool])) },
    toolApproval: Object.fromEntries(
      gated.map(({ name, approval }) => [name, approval]),
    ) as GatedTools<Tools>['toolApproval'],
    gate,
  };
}

/** A tool may yield intermediate values; its last one is the result. */
async function lastOf(output: unknown): Promise<unknown> {
  const isIterable = typeof output === 'object' && output !== null && Symbol.asyncIterator in output;
  if (!isIterable) return await output;
  let last: unknown;
  for await (const value of output as AsyncIterable<unknown>) last = value;
  return last;
}
