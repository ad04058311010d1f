import { channelInput, channelPatch, channelSettings, channelTypes, channelView } from './channel.js';

const settings = {
  email: { to: ['ops@example.com'] },
  webhook: { url: 'https://hooks.example.com/a' },
} satisfies Record<keyof typeof channelSettings, object>;

describe.each(channelTypes)('a channel of type %s', (type) => {
  const input = { type, name: 'on-call', events: ['approval.requested'] };

  it('is made with its settings, and with those of no other type', () => {
    expect(channelInput.parse({ ...input, ...settings[type] })).toEqual({
      ...input,
      ...settings[type],
      enabled: true,
    });
    expect(channelInput.safeParse(input).success).toBe(false);
    for (const other of channelTypes.filter((name) => name !== type))
      expect(channelInput.safeParse({ ...input, ...settings[type], ...settings[other] }).success).toBe(false);
  });

  it('is changed and shown by the members of its settings', () => {
    expect(channelPatch.parse(settings[type])).toEqual(settings[type]);
    expect(Object.keys(channelView.shape)).toEqual(expect.arrayContaining(Object.keys(settings[type])));
  });
});
