import { columnsText } from './columns.js';

const columns = [{ head: 'ID' }, { head: 'ACTION', shrinksTo: 6 }, { head: 'AGENT', shrinksTo: 5 }];

it('is in columns under their heads, without trailing spaces', () => {
  expect(
    columnsText(
      columns,
      [
        ['a', 'deploy.production', 'bot'],
        ['bcd', 'x', '部署'],
      ],
      80,
    ),
  ).toBe(
    [
      'ID   ACTION             AGENT', //
      'a    deploy.production  bot',
      'bcd  x                  部署',
    ].join('\n'),
  );
});

it('cuts columns that may shrink, the widest first, to fit the terminal', () => {
  const text = columnsText(columns, [['apr_1', 'deploy.production.frankfurt', 'a-very-long-name']], 30);
  expect(text.split('\n')).toEqual(['ID     ACTION      AGENT', 'apr_1  deploy.pr…  a-very-lon…']);
});

it('never cuts the other columns', () => {
  const [, row] = columnsText(columns, [['apr_0123456789', 'deploy.production', 'first-agent']], 10).split(
    '\n',
  );
  expect(row).toBe('apr_0123456789  deplo…  firs…');
});

it('leaves out optional columns, the last first, where the others do not fit otherwise', () => {
  const some = [...columns, { head: 'NEEDS', optional: true }, { head: 'AGE', optional: true }] as const;
  const rows = [['apr_1', 'deploy.production', 'first-agent', '2 people', '3 min']];
  const heads = (width: number) =>
    columnsText(some, rows, width)
      .split('\n')
      .map((line) => line.split(/ {2,}/));
  expect(heads(80)).toEqual([['ID', 'ACTION', 'AGENT', 'NEEDS', 'AGE'], rows[0]]);
  expect(heads(30)).toEqual([
    ['ID', 'ACTION', 'AGENT', 'NEEDS'],
    ['apr_1', 'deplo…', 'firs…', '2 people'],
  ]);
  expect(heads(25)).toEqual([
    ['ID', 'ACTION', 'AGENT'],
    ['apr_1', 'deploy.…', 'first-a…'],
  ]);
  for (const width of [30, 25])
    for (const line of columnsText(some, rows, width).split('\n'))
      expect(line.length).toBeLessThanOrEqual(width);
});
