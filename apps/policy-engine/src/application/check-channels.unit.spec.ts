import { Unavailable } from '@agentlattice/contracts';
import { makeCheckChannels } from './check-channels.js';

const step = (...channels: string[]) => ({ after: '1m', contacts: [], channels, repeat: null });

describe('the channels that a policy names', () => {
  let asked: unknown[] = [];
  const check = makeCheckChannels({
    request: (_command: unknown, payload: unknown) => {
      asked.push(payload);
      return Promise.resolve({ channel_ids: ['chn_1', 'chn_2'] });
    },
  } as never);
  beforeEach(() => {
    asked = [];
  });

  it('are looked up once, and only when there are any', async () => {
    await check('org_1', [step('chn_1', 'chn_2'), step('chn_1')]);
    expect(asked).toEqual([{ org_id: 'org_1', channel_ids: ['chn_1', 'chn_2'] }]);
    await check('org_1', [step()]);
    await check('org_1');
    expect(asked).toHaveLength(1);
  });

  it('are each reported when they do not exist', () =>
    expect(check('org_1', [step('chn_1', 'chn_9'), step('chn_9')])).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [{ pointer: '/escalation/0/channels/1' }, { pointer: '/escalation/1/channels/0' }],
    }));

  it('are not accepted while the notifier does not answer', () =>
    expect(
      makeCheckChannels({ request: () => Promise.reject(new Unavailable('notifier does not answer')) })(
        'org_1',
        [step('chn_1')],
      ),
    ).rejects.toMatchObject({ code: 'UNAVAILABLE' }));
});
