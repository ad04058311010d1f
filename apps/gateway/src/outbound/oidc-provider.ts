import { givenEmail, Unavailable } from '@agentlattice/contracts';
import { Batcher } from '@agentlattice/service';
import * as openid from 'openid-client';
import { groupsIn } from '../domain/oidc-mapping.js';
import type { OidcConfig } from '../oidc-config.js';

/** What a browser keeps between its way to the provider and back. */
export interface OidcLogin {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** A person as the provider describes them. */
export interface OidcPerson {
  readonly issuer: string;
  readonly subject: string;
  /** Only an address that the provider has verified, and that a member could be added with. */
  readonly email: string | null;
  readonly name: string | null;
  readonly groups: readonly string[];
}

const timeoutSeconds = 5;

/** The OpenID provider: authorization code flow with PKCE, state and nonce (OpenID Connect Core, RFC 7636, RFC 9207). */
export class OidcProvider {
  private discovered: Promise<openid.Configuration> | undefined;
  /** Anybody can call the callback, so the calls to the provider are limited. */
  private readonly exchanges = new Batcher<() => Promise<OidcPerson>, OidcPerson>(
    async (works) => Promise.all(works.map((work) => work())),
    { maxItems: 1, atOnce: 4, maxWaiting: 64, oldestMs: 10_000 },
  );

  constructor(private readonly config: OidcConfig) {}

  /** The address of the provider that the browser goes to, and what it must bring back. */
  async begin(): Promise<{ url: string; login: OidcLogin }> {
    const provider = await this.provider();
    const verifier = openid.randomPKCECodeVerifier();
    const login = { state: openid.randomState(), nonce: openid.randomNonce(), verifier };
    const url = openid.buildAuthorizationUrl(provider, {
      redirect_uri: this.config.redirectUri,
      scope: this.config.scope,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: login.state,
      nonce: login.nonce,
    });
    return { url: url.href, login };
  }

  /**
   * The person behind an answer of the provider. The library checks state, issuer, signature, nonce and audience.
   * @param query of the callback
   * @throws when any of it is wrong, or the provider does not answer
   */
  async finish(query: string, login: OidcLogin): Promise<OidcPerson> {
    const provider = await this.provider();
    return this.exchanges.do(() => this.exchange(provider, query, login));
  }

  private async exchange(
    provider: openid.Configuration,
    query: string,
    { state, nonce, verifier }: OidcLogin,
  ): Promise<OidcPerson> {
    const answer = new URL(this.config.redirectUri);
    answer.search = query;
    const tokens = await openid.authorizationCodeGrant(provider, answer, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new Error('the provider sent no ID token');
    const { groupsClaim } = this.config;
    const isUnerased = claims[groupsClaim] !== undefined && claims['email'] !== undefined;
    const hasUserInfo = provider.serverMetadata().userinfo_endpoint !== undefined;
    const more =
      isUnerased || !hasUserInfo ? {} : await openid.fetchUserInfo(provider, tokens.access_token, claims.sub);
    const all: Readonly<Record<string, unknown>> = { ...more, ...claims };
    const { email, name, email_verified: isVerified } = all;
    return {
      issuer: claims.iss,
      subject: claims.sub,
      email: isVerified === true ? (givenEmail().safeParse(email).data ?? null) : null,
      name: typeof name === 'string' ? name : null,
      groups: groupsIn(all[groupsClaim]),
    };
  }

  /** The provider's metadata, read at the first use, so that the gateway starts while the provider is away. @throws Unavailable */
  private async provider(): Promise<openid.Configuration> {
    const { issuer, clientId, clientSecret } = this.config;
    this.discovered ??= openid.discovery(issuer, clientId, clientSecret, undefined, {
      timeout: timeoutSeconds,
      execute: [
        openid.enableNonRepudiationChecks,
        ...(issuer.protocol === 'http:' ? [openid.allowInsecureRequests] : []),
      ],
    });
    try {
      return await this.discovered;
    } catch (error) {
      this.discovered = undefined;
      throw new Unavailable('the provider of the sign-in does not answer', {
        extra: { reason: error instanceof Error ? error.message : 'unknown' },
      });
    }
  }
}
