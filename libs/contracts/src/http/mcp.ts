import { z } from 'zod';
import type { Route } from './route.js';

/** Whether deciding by MCP needs a client that asks the person (decisions §3.8). */
export const mcpElicitation = ['offered', 'required'] as const;
export type McpElicitation = (typeof mcpElicitation)[number];

/**
 * Where the gateway speaks MCP over HTTP. It is no operation of the API, so it is not in the route table: MCP has its own
 * schemas and errors. Its tools call the routes of the table with the caller's key.
 */
export const mcpEndpoint: Route = {
  id: 'mcp',
  method: 'POST',
  path: '/mcp',
  tag: 'MCP',
  summary: 'MCP, streamable HTTP',
  callers: ['agent', 'operator:viewer', 'service'],
  responses: {},
};

/** A message of an MCP client that a gateway got, for the gateway that holds the call it belongs to. */
export const mcpMessage = z.object({
  /** Names the session and its key; a gateway takes only messages of the owner of a call. */
  owner: z.string().min(1).max(200),
  message: z.record(z.string(), z.unknown()),
});
export type McpMessage = z.infer<typeof mcpMessage>;
