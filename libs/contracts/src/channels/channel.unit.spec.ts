import { channelInput, channelPatch, channelSettings, channelTypes, channelView } from './channel.js';

const settings = {
  email: { to: ['ops@example.com'] },
  webhook: { url: 'https://hooks.example.com/a' },
} satisfies Record<keyof typeof channelSettings, object>;

it.each([
  ['http://①②⑦.0.0.1/x', 'http://127.0.0.1/x'],
  ['HTTPS://Hooks.Example.com:443/a b?c=ü', 'https://hooks.example.com/a%20b?c=%C3%BC'],
  ['https://bücher.example', 'https://xn--bcher-kva.example/'],
])('the URL %s is kept as %s', (given, kept) => {
  expect(channelSettings.webhook.parse({ url: given })).toEqual({ url: kept });
  expect(channelPatch.parse({ url: given })).toEqual({ url: kept });
  expect(channelSettings.webhook.parse({ url: kept })).toEqual({ url: kept });
});

it.each([
  ' http://127.0.0.1/x',
  'http://127.0.0.1/x\r\n',
  'http://127.0.0.1/a\tb',
  'http://127.0.0.1/\u0000',
  'http://127.0.0.1/\u00a0',
  'http://127.0.0.1/\u0085x',
  'http://me:word@example.com/',
  'ftp://example.com/',
  'example.com',
])('the URL %j is refused', (url) => {
  expect(channelSettings.webhook.safeParse({ url }).success).toBe(false);
  expect(channelPatch.safeParse({ url }).success).toBe(false);
});

it.each(['a', 'ü'])('a URL that is kept as more than 2048 characters is refused: %s…', (letter) => {
  const url = (length: number) => ({ url: `https://example.com/${letter.repeat(length)}` });
  expect(channelSettings.webhook.safeParse(url(300)).success).toBe(true);
  expect(channelSettings.webhook.safeParse(url(letter === 'a' ? 2_030 : 350)).success).toBe(false);
});

describe.each(channelTypes)('a channel of type %s', (type) => {
  const input = { type, name: 'on-call', events: ['approval.requested'] };

  it('is created with its own settings and refuses those of other types', () => {
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
