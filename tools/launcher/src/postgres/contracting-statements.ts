/** What a statement takes away from the code of the release before, which still runs while a release is rolled out. */
export interface Contraction {
  readonly statement: string;
  readonly why: string;
}

interface Rule {
  readonly why: string;
  readonly found: (statement: string, madeHere: ReadonlySet<string>) => boolean;
}

const identifier = String.raw`(?:IF (?:NOT )?EXISTS )?(?:ONLY )?"?(?:\w+\.)?(\w+)"?`;

/** Whether it is about a table that this migration makes itself, which no older code knows. */
const isNew = (statement: string, what: RegExp, madeHere: ReadonlySet<string>) => {
  const [, table = ''] = what.exec(statement) ?? [];
  return madeHere.has(table.toLowerCase());
};
const altered = new RegExp(`^ALTER TABLE ${identifier}`, 'i');
const indexed = new RegExp(String.raw`^CREATE UNIQUE INDEX (?:CONCURRENTLY )?.*? ON ${identifier}`, 'i');
const granted = new RegExp(String.raw`^(?:REVOKE|DELETE FROM|TRUNCATE).*? (?:ON |FROM )?${identifier}`, 'i');

/** A statement of `ALTER TABLE` on a table of an earlier release. */
const altering =
  (pattern: RegExp): Rule['found'] =>
  (statement, madeHere) =>
    altered.test(statement) && pattern.test(statement) && !isNew(statement, altered, madeHere);

const rules: readonly Rule[] = [
  {
    why: 'it drops something that older code may use',
    found: (statement) =>
      /^DROP (?:TABLE|INDEX|FUNCTION|TRIGGER|VIEW|TYPE|SEQUENCE|SCHEMA|POLICY|DOMAIN)\b/i.test(statement),
  },
  {
    why: 'it drops a column or constraint',
    // A default and NOT NULL may go: older code neither sees nor misses them.
    found: altering(/\bDROP (?!DEFAULT|NOT NULL)/i),
  },
  { why: 'it renames something', found: (statement) => /^ALTER .*\bRENAME\b/i.test(statement) },
  {
    why: 'it changes the type of a column',
    found: altering(/\bALTER (?:COLUMN )?"?\w+"? (?:SET DATA )?TYPE\b/i),
  },
  {
    why: 'older code writes rows without this column',
    found: (statement, madeHere) =>
      altering(/\bSET NOT NULL\b/i)(statement, madeHere) ||
      (altered.test(statement) &&
        !isNew(statement, altered, madeHere) &&
        statement
          .split(/\bADD\b/i)
          .slice(1)
          .some((added) => /\bNOT NULL\b/i.test(added) && !/\b(?:DEFAULT|GENERATED)\b/i.test(added))),
  },
  {
    why: 'older code may write rows that this constraint refuses',
    found: altering(/\bADD (?:CONSTRAINT\b|CHECK\b|UNIQUE\b|FOREIGN KEY\b|PRIMARY KEY\b|EXCLUDE\b)/i),
  },
  {
    why: 'older code may write rows that this index refuses',
    found: (statement, madeHere) => indexed.test(statement) && !isNew(statement, indexed, madeHere),
  },
  {
    why: 'it takes rights or rows away',
    found: (statement, madeHere) =>
      granted.test(statement) && !isNew(statement, granted, madeHere) && !/\bFROM PUBLIC\b/i.test(statement),
  },
];

/**
 * The statements of one migration that do more than add. A release may take away only what the release before it no longer uses, because
 * both run at the same time during an upgrade (ADR 63).
 */
export function contractingStatements(migration: readonly string[]): Contraction[] {
  const statements = migration.flatMap(split);
  const madeHere = new Set(
    statements.flatMap((statement) => {
      const [, table] = new RegExp(`^CREATE (?:UNLOGGED )?TABLE ${identifier}`, 'i').exec(statement) ?? [];
      return table === undefined ? [] : [table.toLowerCase()];
    }),
  );
  return statements.flatMap((statement) =>
    rules.filter(({ found }) => found(statement, madeHere)).map(({ why }) => ({ statement, why })),
  );
}

/** Without comments and line breaks; bodies of functions, which are quoted, stay in one piece. */
function split(sql: string): string[] {
  const parts: string[] = [];
  let current = '';
  for (const [part] of sql.matchAll(/--[^\n]*|(\$\w*\$)[\s\S]*?\1|'(?:[^']|'')*'|;|[^;$'-]+|[$'-]/g)) {
    if (part.startsWith('--')) continue;
    if (part === ';') {
      parts.push(current);
      current = '';
    } else current += part;
  }
  return [...parts, current].map((text) => text.replaceAll(/\s+/g, ' ').trim()).filter((text) => text !== '');
}
