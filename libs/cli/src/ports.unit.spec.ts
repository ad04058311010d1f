import { PassThrough } from 'node:stream';
import { jest } from '@jest/globals';
import { confirm } from './ports.js';
import { processTerminal } from './terminal.js';

describe('the question before something that cannot be undone', () => {
  const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  afterAll(() => written.mockRestore());

  /** What comes of it when a person at a terminal types this. */
  const typed = async (keys: string, end = false) => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const terminal = Object.create(processTerminal, { isWatched: { value: true } }) as typeof processTerminal;
    stdin.write(keys);
    if (end) stdin.end();
    return confirm({ terminal, stdin }, 'Delete it?', false).then(
      () => 'confirmed',
      ({ exitCode, message }: { exitCode?: number; message: string }) => `${String(exitCode)} ${message}`,
    );
  };

  it.each([
    ['yes', 'y\r', 'confirmed'],
    ['no', 'n\r', '1 Nothing was changed: it was not confirmed.'],
    ['Ctrl-D', '\u0004', '1 Nothing was changed: it was not confirmed.'],
    ['Ctrl-C', '\u0003', '130 Nothing was changed.'],
  ])('is answered by %s', async (_, keys, outcome) => {
    expect(await typed(keys)).toBe(outcome);
  });

  it('is answered with no by a terminal that has gone', async () => {
    expect(await typed('', true)).toBe('1 Nothing was changed: it was not confirmed.');
  });
});
