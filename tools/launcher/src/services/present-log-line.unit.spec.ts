import { presentLogLine } from './present-log-line.js';

it.each([
  ['{"level":30,"msg":"listening"}', undefined],
  ['{"level":"info","msg":"listening"}', undefined],
  ['', undefined],
  ['{"level":40,"msg":"slow"}', 'warning: slow'],
  ['{"level":"error","msg":"lost","err":{"message":"ECONNRESET"}}', 'ERROR: lost: ECONNRESET'],
  ['    at main.ts:1', '    at main.ts:1'],
  ['{not json', '{not json'],
])('the terminal shows of %s: %s', (line, shown) => expect(presentLogLine(line)).toBe(shown));
