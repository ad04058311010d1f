import { newSigningSecret, SecretBox } from './secret-box.js';

describe('a sealed secret', () => {
  const box = new SecretBox('one key of the system');
  const secret = newSigningSecret();
  const sealed = box.seal(secret, 'chn_a');

  it('opens for its owner with the key', () => {
    expect(box.open(sealed, 'chn_a')).toBe(secret);
    expect(new SecretBox('one key of the system').open(sealed, 'chn_a')).toBe(secret);
    expect(sealed).not.toContain(secret.slice(6, 20));
    expect(box.seal(secret, 'chn_a')).not.toBe(sealed);
    // In a rotation replicas of both steps open what either has sealed.
    const [old, next] = ['one key of the system', 'the next key of it'];
    const steps = [new SecretBox(old, [next]), new SecretBox(next, [old])];
    for (const sealing of steps)
      for (const opening of steps) expect(opening.open(sealing.seal(secret, 'chn_a'), 'chn_a')).toBe(secret);
    expect(() => new SecretBox(next).open(sealed, 'chn_a')).toThrow();
  });

  it('opens for no other channel, with no other key, and not when it was changed', () => {
    expect(() => box.open(sealed, 'chn_b')).toThrow();
    expect(() => new SecretBox('another key of the system').open(sealed, 'chn_a')).toThrow();
    const [version, iv, , tag] = sealed.split('.');
    expect(() => box.open([version, iv, 'AAAA', tag].join('.'), 'chn_a')).toThrow();
    expect(() =>
      box.open([version, iv, sealed.split('.')[2], tag?.slice(0, 6)].join('.'), 'chn_a'),
    ).toThrow();
    expect(() => box.open('whsec_plain', 'chn_a')).toThrow();
  });
});
