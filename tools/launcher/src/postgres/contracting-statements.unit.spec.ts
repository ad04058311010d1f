import { contractingStatements } from './contracting-statements.js';

const reasons = (...statements: string[]) => contractingStatements(statements).map(({ why }) => why);

describe('a migration', () => {
  it.each([
    'CREATE TABLE a (id text NOT NULL PRIMARY KEY, n integer CHECK (n > 0))',
    'ALTER TABLE a ADD note text',
    'ALTER TABLE a ADD COLUMN seen boolean NOT NULL DEFAULT false, ADD told boolean DEFAULT true NOT NULL',
    'ALTER TABLE a ADD position bigint GENERATED ALWAYS AS IDENTITY NOT NULL',
    'ALTER TABLE a ALTER note DROP NOT NULL, ALTER note DROP DEFAULT',
    'CREATE INDEX a_note ON a (note) WHERE note IS NOT NULL',
    'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DROP TABLE a; RETURN NULL; END $$',
    'GRANT SELECT, INSERT ON a TO al_gateway',
    `-- DROP TABLE a; in words\nUPDATE a SET note = 'DROP TABLE a; RENAME'`,
    'CREATE TABLE b (id text); CREATE UNIQUE INDEX b_id ON b (id); ALTER TABLE b ADD CHECK (id <> $$$$)',
    'REVOKE ALL ON FUNCTION f() FROM PUBLIC',
  ])('that only adds is fine: %s', (statement) => expect(reasons(statement)).toEqual([]));

  it.each([
    ['DROP TABLE a', 'it drops something that older code may use'],
    ['DROP INDEX a_note', 'it drops something that older code may use'],
    ['ALTER TABLE a DROP note', 'it drops a column or constraint'],
    ['ALTER TABLE ONLY a ADD b text, DROP COLUMN note', 'it drops a column or constraint'],
    ['ALTER TABLE a DROP CONSTRAINT a_check', 'it drops a column or constraint'],
    ['ALTER TABLE a RENAME note TO remark', 'it renames something'],
    ['ALTER INDEX a_note RENAME TO a_remark', 'it renames something'],
    ['ALTER TABLE a ALTER COLUMN n TYPE bigint', 'it changes the type of a column'],
    ['ALTER TABLE a ALTER n SET DATA TYPE bigint', 'it changes the type of a column'],
    ['ALTER TABLE a ALTER note SET NOT NULL', 'older code writes rows without this column'],
    ['ALTER TABLE a ADD b text NOT NULL', 'older code writes rows without this column'],
    [
      'ALTER TABLE a ADD b text DEFAULT $$$$, ADD c text NOT NULL',
      'older code writes rows without this column',
    ],
    [
      'ALTER TABLE a ADD CONSTRAINT short CHECK (length(note) < 9)',
      'older code may write rows that this constraint refuses',
    ],
    ['CREATE UNIQUE INDEX a_note ON s.a (note)', 'older code may write rows that this index refuses'],
    ['REVOKE UPDATE ON a FROM al_gateway', 'it takes rights or rows away'],
    ['DELETE FROM a WHERE note IS NULL', 'it takes rights or rows away'],
    ['CREATE TABLE b (id text);\nDROP TABLE a;', 'it drops something that older code may use'],
  ])('that takes something away is named: %s', (statement, why) => expect(reasons(statement)).toEqual([why]));

  it('may do what it wants with a table that it makes', () =>
    expect(reasons('CREATE TABLE b (id text)', 'ALTER TABLE b ADD n text NOT NULL', 'DELETE FROM b')).toEqual(
      [],
    ));
});
