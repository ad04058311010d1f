import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames } from '@agentlattice/contracts';
import type { QueryRunner } from 'typeorm';
import { z } from 'zod';
import { contractingStatements } from './contracting-statements.js';
import { loadMigrations, type MigrationClass, nameOf } from './run-migrations.js';

/**
 * Migrations that take away what the release before them no longer uses (the second release of the two that ADR 63 asks for). Each
 * names what it removes and since which release no code uses it.
 */
const contractSteps: Readonly<Record<string, string>> = {};

/** Migrations up to this record are those of the first release: no older code runs beside them. */
const firstRelease = new Set(
  z
    .array(z.string())
    .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'first-release-migrations.json'), 'utf8'))),
);

/** What a migration asks of an empty database. */
async function statementsOf(migration: MigrationClass): Promise<string[]> {
  const statements: string[] = [];
  const query = (sql: string) => {
    statements.push(sql);
    return Promise.resolve([]);
  };
  await new migration().up({ query } as unknown as QueryRunner);
  return statements;
}

describe.each(serviceNames)('the migrations of the %s', (service) => {
  it('only add, unless they are contract steps', async () => {
    const migrations = await loadMigrations(service);
    expect(migrations.length).toBeGreaterThan(0);
    const later = migrations.filter((migration) => !firstRelease.has(`${service} ${nameOf(migration)}`));
    const contracting = await Promise.all(
      later.map(async (migration) => ({
        migration: nameOf(migration),
        statements: contractingStatements(await statementsOf(migration)),
      })),
    );
    const unnamed = contracting.filter(
      ({ migration, statements }) => statements.length > 0 && contractSteps[migration] === undefined,
    );
    expect(unnamed).toEqual([]);
  });

  it('are all in the record of the first release that it names', async () => {
    const names = new Set((await loadMigrations(service)).map((m) => `${service} ${nameOf(m)}`));
    const recorded = [...firstRelease].filter((name) => name.startsWith(`${service} `));
    expect(recorded.filter((name) => !names.has(name))).toEqual([]);
  });
});

it('a migration that took something away before the first release is recognised', async () => {
  const migrations = await loadMigrations('approval-service');
  const openRequests = migrations.find((migration) => nameOf(migration).startsWith('OpenRequests'));
  if (openRequests === undefined) throw new Error('the migration is missing');
  const found = contractingStatements(await statementsOf(openRequests));
  expect(found.map(({ why }) => why)).toContain('it renames something');
});
