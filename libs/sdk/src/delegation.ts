import { AgentLatticeError } from './errors.js';
import type { Transport } from './transport.js';

export interface DelegateOptions {
  /** Action types that the child may ask for; patterns as in policies. Never more than the parent may. */
  readonly capabilities: readonly string[];
  /** How long the child lives, in seconds: 1 to 86,400. */
  readonly ttlSeconds: number;
}

/** A child agent and the delegation it lives by. `await using` ends it with its block. */
export interface DelegationOf<Agent> extends AsyncDisposable {
  readonly id: string;
  readonly agent: Agent;
  /** Revokes the delegation; the child's key ends with it. Ending twice does nothing; when ending failed, it is tried again. */
  end(): Promise<void>;
}

/** @param clientOf a client with the child's key, whose requests name the delegation */
export async function delegate<Agent>(
  transport: Transport,
  name: string,
  { capabilities, ttlSeconds }: DelegateOptions,
  clientOf: (apiKey: string, delegationId: string) => Agent,
): Promise<DelegationOf<Agent>> {
  const { body } = await transport.call('POST', '/api/v1/delegate', {
    body: { name, capabilities, ttl_seconds: ttlSeconds },
    // Each answer makes a key: what broke off is not asked for twice.
    repeatable: false,
  });
  const { delegation_id: id, child_api_key: key } = body;
  if (typeof id !== 'string' || typeof key !== 'string')
    throw new AgentLatticeError('UNEXPECTED_ANSWER', 'The answer holds no delegation', { details: body });
  let ending: Promise<void> | undefined;
  const end = () =>
    (ending ??= revoke(transport, id).catch((error: unknown) => {
      ending = undefined;
      throw error;
    }));
  return { id, agent: clientOf(key, id), end, [Symbol.asyncDispose]: end };
}

async function revoke(transport: Transport, id: string): Promise<void> {
  try {
    await transport.call('DELETE', `/api/v1/delegate/${encodeURIComponent(id)}`);
  } catch (error) {
    // It is over already.
    if (!(error instanceof AgentLatticeError) || error.status !== 404) throw error;
  }
}

/**
 * Runs a function and then ends all delegations, however it ends.
 * @throws what the function throws, even when ending fails as well; else the first error of ending
 */
export async function runThenEnd<T>(
  delegations: readonly Pick<DelegationOf<unknown>, 'end'>[],
  run: () => T | Promise<T>,
): Promise<T> {
  const endAll = () => Promise.allSettled(delegations.map((delegation) => delegation.end()));
  let value: T;
  try {
    value = await run();
  } catch (error) {
    await endAll();
    throw error;
  }
  for (const ended of await endAll()) if (ended.status === 'rejected') throw ended.reason;
  return value;
}
