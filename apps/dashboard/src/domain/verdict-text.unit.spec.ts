import { verdictText } from './verdict-text.js';

const intact = {
  chain_valid: true,
  verified_through_row: 48_211,
  first_broken_at_seq: null,
  reason: null,
  verified_from_checkpoint: false,
};

describe('the verdict on the log', () => {
  it('says how many entries were checked, and from where', () => {
    expect(verdictText(intact)).toEqual({
      isIntact: true,
      title: 'The log is intact',
      detail: '48,211 entries checked, each with its hash and its place, from the first one.',
    });
    expect(verdictText({ ...intact, verified_from_checkpoint: true }).detail).toMatch(
      /since the last full check/,
    );
    expect(verdictText({ ...intact, verified_through_row: 1 }).detail).toMatch(/^1 entry checked/);
    expect(verdictText({ ...intact, verified_through_row: 0 }).title).toBe('The log is empty');
  });

  it('names the first broken entry and what is wrong with it', () =>
    expect(
      verdictText({
        ...intact,
        chain_valid: false,
        first_broken_at_seq: 1_204,
        reason: 'the entry was edited',
      }),
    ).toEqual({
      isIntact: false,
      title: 'The log is not intact from entry 1,204 on',
      detail: 'the entry was edited',
    }));

  it('is never intact without a valid chain, even when nothing more is known', () =>
    expect(verdictText({ ...intact, chain_valid: false })).toMatchObject({
      isIntact: false,
      title: 'The log is not intact',
    }));
});
