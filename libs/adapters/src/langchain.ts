// LangChain 1 (`langchain`): a middleware of `createAgent`.
import type { AgentLattice } from '@agentlattice/sdk';
import { interrupt } from '@langchain/langgraph';
import { createMiddleware, ToolMessage } from 'langchain';
import { type GateToolsOptions, ToolCallRefused, ToolGate } from './tool-gate.js';

export { decided } from './tool-gate.js';

/**
 * Puts a gate before the tools of an agent. Name it last in `middleware`, so that no other one changes a call after it was
 * cleared. With `pause: true` (needs a checkpointer and a `thread_id`) a call that waits interrupts the run with
 * `{approval_id, timeout_at, tool, arguments}`. The value that the run is resumed with does not count: a request that still waits
 * interrupts again.
 */
export function approvals(
  al: AgentLattice,
  options: GateToolsOptions = {},
): ReturnType<typeof createMiddleware> {
  const gate = new ToolGate(al, options);
  return createMiddleware({
    name: 'AgentLatticeApprovals',
    wrapToolCall: async (request, handler) => {
      const { id = '', name, args } = request.toolCall;
      if (!gate.covers(name)) return handler(request);
      if (id === '') throw new Error(`A call of ${name} has no id, so it cannot be gated`);
      const thread: unknown = request.runtime.configurable?.['thread_id'];
      const call = {
        ...{ id, name, arguments: args },
        ...(typeof thread === 'string' ? { scope: thread } : {}),
      };
      try {
        for (let waiting; gate.pauses && (waiting = await gate.waiting(call)) !== undefined;)
          interrupt({
            ...{ approval_id: waiting.approvalId, timeout_at: waiting.timeoutAt },
            ...{ tool: name, arguments: args },
          });
        return await gate.run(call, () => handler(request), { signal: request.runtime.signal });
      } catch (error) {
        if (!(error instanceof ToolCallRefused)) throw error;
        return new ToolMessage({ content: error.message, tool_call_id: id, name, status: 'error' });
      }
    },
  });
}
