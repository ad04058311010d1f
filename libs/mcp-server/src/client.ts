import { AgentLattice } from '@agentlattice/sdk';
import { version } from './version.js';

export interface ClientOptions {
  readonly apiKey: string;
  readonly baseUrl: string;
  /** How long to try again when the system does not answer. */
  readonly retryForMs: number;
  /** Joins the calls in logs and in the audit log to the request that caused them. */
  readonly requestId?: string;
}

/** The API with the key of the caller. The log says by the header that a decision came by MCP. */
export const clientFor = ({ requestId, ...options }: ClientOptions): AgentLattice =>
  new AgentLattice({
    ...options,
    headers: {
      'user-agent': `agentlattice-mcp/${version}`,
      ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
    },
  });
