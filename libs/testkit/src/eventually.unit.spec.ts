import { eventually } from './eventually.js';

describe('waiting for a condition', () => {
  it('returns the result of the probe', async () => {
    let looks = 0;
    expect(await eventually(() => ++looks === 3 && 'found', { every: 1 })).toBe('found');
  });

  it('fails with the last error of the probe', () =>
    expect(
      eventually(
        () => {
          throw new Error('still closed');
        },
        { within: 5, every: 1 },
      ),
    ).rejects.toThrow('still closed'));

  it('fails when the condition does not come', () =>
    expect(eventually(() => false, { within: 5, every: 1 })).rejects.toThrow(
      'did not become true within 5 ms',
    ));
});
