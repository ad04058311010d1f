import { hash } from 'node:crypto';

/** What a gateway must know of the MCP session that a request belongs to. */
export interface McpSession {
  /** Whether the client shows forms to its person (elicitation). */
  readonly offersForms: boolean;
}

/**
 * The id of an MCP session says all that is known of it, so every gateway can serve every request of it, and nothing is stored.
 * It is bound to the key: with another key it is not found, and without a valid key it is worth nothing.
 * @param random a UUID, so that two sessions of a key differ
 */
export function mcpSessionId({ offersForms }: McpSession, keyHash: string, random: string): string {
  const content = `1.${offersForms ? 'forms' : 'plain'}.${random}`;
  return `${content}.${sealOf(content, keyHash)}`;
}

/** @returns null for an id that no gateway gave to this key */
export function readMcpSession(id: string, keyHash: string): McpSession | null {
  const found = /^(1\.(forms|plain)\.[0-9a-f-]{36})\.([\w-]{43})$/.exec(id);
  const [, content = '', kind, seal] = found ?? [];
  return found !== null && seal === sealOf(content, keyHash) ? { offersForms: kind === 'forms' } : null;
}

/** The key's own hash is the secret: who knows it holds the key and could begin any session anyway. */
const sealOf = (content: string, keyHash: string) =>
  hash('sha256', `mcp session\n${content}\n${keyHash}`, 'base64url');

/** Names a session together with its key, without showing either. */
export const mcpOwnerOf = (sessionId: string, keyHash: string): string =>
  hash('sha256', `mcp owner\n${sessionId}\n${keyHash}`, 'base64url');
