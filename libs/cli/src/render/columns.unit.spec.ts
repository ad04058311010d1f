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
