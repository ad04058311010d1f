import { stripVTControlCharacters } from 'node:util';
import { noStyle, statusStyle, styleFor } from './style.js';
import { columnsText, cut, displayWidth, wrapped } from './columns.js';

it.each<[string, Parameters<typeof styleFor>, boolean]>([
  ['on a terminal', [true, {}], true],
  ['in a pipe', [false, {}], false],
  ['with NO_COLOR', [true, { NO_COLOR: '1' }], false],
  ['with an empty NO_COLOR', [true, { NO_COLOR: '' }], true],
  ['with --no-color', [true, {}, false], false],
  ['on a terminal without colours', [true, { TERM: 'dumb' }], false],
])('%s', (_, given, coloured) => {
  const style = styleFor(...given);
  expect(style.good('yes')).toBe(coloured ? '\u001b[32myes\u001b[39m' : 'yes');
  expect(statusStyle(style)('denied').includes('\u001b[31m')).toBe(coloured);
});

it('colours do not move columns', () => {
  const style = styleFor(true, {});
  const columns = [{ head: 'STATUS', paint: statusStyle(style) }, { head: 'ID' }];
  const rows = [
    ['denied', 'a'],
    ['ok', 'b'],
  ];
  const plain = stripVTControlCharacters(columnsText(columns, rows, 80, style));
  expect(plain).toBe(
    columnsText(
      columns.map(({ head }) => ({ head })),
      rows,
      80,
      noStyle,
    ),
  );
});

it.each(['plain text of some length', '部署'.repeat(9), 'e\u0301'.repeat(30), '…▸▾'.repeat(9)])(
  'wrapping loses nothing and keeps the width: %s',
  (text) => {
    const lines = wrapped(text, 10);
    expect(lines.join('')).toBe(text);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(10);
    expect(displayWidth(cut(text, 10))).toBeLessThanOrEqual(10);
  },
);
