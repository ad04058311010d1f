import type { Route, RouteOutput } from '@agentlattice/contracts';
import { AgentLatticeError, type AgentLattice, type Call as SdkCall } from '@agentlattice/sdk';

export interface Call extends Omit<SdkCall, 'bodyText'> {
  readonly params?: Readonly<Record<string, string>>;
}

/** Calls the routes of the contract by the SDK. What the contract does not know is an error, never a decision. */
export class Api {
  constructor(readonly sdk: AgentLattice) {}

  /** @throws AgentLatticeError; the signal's reason when it is aborted */
  async call<R extends Route>(route: R, { params = {}, ...call }: Call = {}): Promise<RouteOutput<R>> {
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(params[name] ?? ''),
    );
    const { status, body } = await this.sdk.request(route.method, path, call);
    const parsed = route.responses[status]?.schema.safeParse(body);
    if (parsed?.success !== true)
      throw new AgentLatticeError(
        'UNEXPECTED_ANSWER',
        'The answer is not one that this version knows; is the address right, and are both sides of one release?',
        { status },
      );
    return parsed.data as RouteOutput<R>;
  }
}
