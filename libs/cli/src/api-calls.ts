import type { Route, RouteOutput } from '@agentlattice/contracts';
import {
  AgentLattice,
  AgentLatticeError,
  type Call as SdkCall,
  type LiveEvent,
  type SubscribeOptions,
} from '@agentlattice/sdk';
import type { Config } from './config.js';
import { httpFetch } from './http-fetch.js';
import { unknownAnswer } from './exit-code.js';
import { version } from './version.js';

export interface ApiOptions extends Config {
  /** How long to try again when the system cannot be reached. */
  readonly retryForMs: number;
  /** Called once each time the system stops answering. */
  readonly onAway?: (reason: string) => void;
}

export interface Call extends Omit<SdkCall, 'body' | 'bodyText'> {
  readonly params?: Readonly<Record<string, string>>;
  /** JSON text, sent as it is. */
  readonly body?: string;
}

/** The requested action; the grant must name the same. */
export interface Asked {
  readonly action: string;
  /** JSON texts. */
  readonly metadata: string;
  readonly dataAccessed: string;
  /** Null: no person was asked. */
  readonly approvalId: string | null;
  readonly auditEventId: string;
}

/** The body of a submission: the texts are sent as they were written. */
export const submissionText = ({
  action,
  metadata,
  dataAccessed,
}: Pick<Asked, 'action' | 'metadata' | 'dataAccessed'>): string =>
  `{"action_type":${JSON.stringify(action)},"metadata":${metadata},"data_accessed":${dataAccessed}}`;

/** Calls the routes of the contract by the SDK. An answer that the contract does not have is a Failure and never an approval. */
export class Api {
  private readonly sdk: AgentLattice;

  constructor(options: ApiOptions) {
    // The log says by this header that a person decided with `al`.
    const headers = { 'user-agent': `agentlattice-cli/${version}` };
    this.sdk = new AgentLattice({ ...options, headers, fetch: httpFetch });
  }

  /** @throws Failure; the signal's reason when it is aborted */
  async call<R extends Route>(route: R, { params = {}, body, ...call }: Call = {}): Promise<RouteOutput<R>> {
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(params[name] ?? ''),
    );
    const answer = await this.sdk
      .request(route.method, path, { ...call, ...(body === undefined ? {} : { bodyText: body }) })
      .catch((error: unknown) => failed(route.id, error, call));
    const parsed = route.responses[answer.status]?.schema.safeParse(answer.body);
    if (parsed?.success !== true) throw unknownAnswer(answer.status);
    return parsed.data as RouteOutput<R>;
  }

  /** The answer of a route that is not JSON. @throws Failure */
  async text(route: Route, call: Pick<Call, 'query' | 'signal'> = {}): Promise<string> {
    const accept = route.responses[200]?.mediaType ?? 'text/plain';
    const { text } = await this.sdk
      .request(route.method, route.path, { ...call, accept })
      .catch((error: unknown) => failed(route.id, error));
    if (text === undefined) throw unknownAnswer(200);
    return text;
  }

  /** What happens in the workspace, as far as the key may see it. @throws Failure when the system refuses */
  async *events(options: SubscribeOptions): AsyncGenerator<LiveEvent, void, void> {
    try {
      yield* this.sdk.subscribe(options);
    } catch (error) {
      return await failed('liveEvents', error);
    }
  }

  /**
   * Checks a grant: signed by a published key of the system, for exactly this action, and not expired.
   * @returns the fault of the grant; null for a valid grant
   * @throws Failure when the keys cannot be fetched
   */
  async grantFault(grant: string | null, asked: Asked): Promise<string | null> {
    if (grant === null) return 'the answer carries no grant';
    const { approvalId, auditEventId } = asked;
    try {
      await this.sdk.verifyGrant(grant, {
        actionType: asked.action,
        metadata: JSON.parse(asked.metadata) as Record<string, unknown>,
        dataAccessed: JSON.parse(asked.dataAccessed) as Record<string, unknown>[],
        ...{ approvalId, auditEventId },
      });
      return null;
    } catch (error) {
      if (error instanceof AgentLatticeError && error.code === 'GRANT_INVALID') return String(error.details);
      return await failed('jwks', error);
    }
  }
}

/** Loaded when something fails: it needs schemas that a call does not. @throws Failure */
async function failed(routeId: string, error: unknown, call: Pick<Call, 'repeatable'> = {}): Promise<never> {
  const { failureOf } = await import('./failure-of.js');
  throw failureOf(routeId, error, call);
}
