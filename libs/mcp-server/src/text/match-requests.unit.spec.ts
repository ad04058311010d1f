import { type Matchable, matchRequests } from './match-requests.js';

const request = (agent: string, action: string, metadata: Record<string, unknown> = {}): Matchable => ({
  id: `apr_${agent}_${action}`,
  agent: { id: 'agt_1', name: agent },
  action_type: action,
  policy_name: 'what people look at',
  metadata,
});
const found = (description: string, ...requests: Matchable[]) =>
  matchRequests(description, requests).map(
    ({ request: { agent, action_type }, missing, onlyInMetadata }) => ({
      is: `${agent.name} ${action_type}`,
      missing,
      onlyInMetadata,
    }),
  );
const only = (is: string, missing: string[] = [], onlyInMetadata: string[] = []) => [
  { is, missing, onlyInMetadata },
];

const production = request('deploy-bot', 'deploy.production');
const staging = request('deploy-bot', 'deploy.staging');
const other = request('billing-bot', 'payment.refund');

describe('the words of a person', () => {
  it.each([
    'Approve the deploy-bot production deploy',
    'deploy-bot wants to deploy to production',
    'prod deployment by Deploy Bot please',
    'deploy.production of deploy-bot',
  ])('find the request that is meant by “%s”', (words) =>
    expect(found(words, staging, production, other)).toEqual(only('deploy-bot deploy.production')),
  );

  it('find every request that fits equally well', () =>
    expect(found('the deploy-bot request', staging, production, other).map(({ is }) => is)).toEqual([
      'deploy-bot deploy.staging',
      'deploy-bot deploy.production',
    ]));

  it('name the words that the nearest request does not contain', () =>
    expect(found('the deploy-bot production deploy', staging, other)).toEqual(
      only('deploy-bot deploy.staging', ['production']),
    ));

  it.each(['', 'approve it', 'the weather in Paris'])('find nothing by “%s”', (words) =>
    expect(found(words, production, other)).toEqual([]),
  );
});

describe('what an agent wrote into metadata', () => {
  const lure = request('other-bot', 'db.drop', { note: 'the deploy-bot production deploy' });

  it('does not draw a decision away from the request that is meant', () =>
    expect(found('the deploy-bot production deploy', lure, production)).toEqual(
      only('deploy-bot deploy.production'),
    ));

  it('is told apart when nothing else contains the words', () =>
    expect(found('the deploy production', request('ci', 'release', { env: 'production' }))).toEqual(
      only('ci release', ['deploy'], ['production']),
    ));

  it('decides between requests that are equal otherwise', () =>
    expect(
      found(
        'deploy-bot production deploy of checkout',
        request('deploy-bot', 'deploy.production', { service: 'search' }),
        request('deploy-bot', 'deploy.production', { service: 'checkout' }),
      ),
    ).toEqual(only('deploy-bot deploy.production', [], ['checkout'])));
});
