import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const textOf = (path: string) => readFileSync(join(root, path), 'utf8');
const files = globSync(['*', '{apps,libs,clients,tools,deploy,docs,e2e,bench,openapi,.ci}/**/*'], {
  cwd: root,
  exclude: (name) => /(^|\/)(node_modules|dist|\.cache|results)$/.test(name),
});
const documents = globSync(
  ['*.md', 'docs/**/*.md', 'bench/README.md', 'libs/*/README.md', 'clients/*/README.md'],
  { cwd: root },
);

/** Parts of the product that docs/decisions.md and docs/design.md describe before they are built. */
const notBuilt: readonly string[] = [];

const spansOf = (document: string) =>
  [...textOf(document).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);

/** Paths from the root of the repository; a path with a placeholder names no file. */
const isPath = (span: string) =>
  /^(apps|libs|clients|tools|deploy|docs|e2e|openapi|\.ci)\/[\w./-]+$/.test(span) ||
  /^(bench\/[\w-]+)\/[\w-]+\.mjs$/.test(span);
/** A source file by its name or by the end of its path. */
const isSourceFile = (span: string) => /^\w[\w./-]*\.(ts|mjs|sql|conf)$/.test(span);

const missing = (path: string) =>
  !existsSync(join(root, path)) && !existsSync(join(root, `${path}.e2e.spec.ts`)) && !notBuilt.includes(path);

describe('the documents', () => {
  it('are found', () => {
    expect(documents).toEqual(
      expect.arrayContaining(['README.md', 'docs/contract.md', 'docs/architecture.md']),
    );
    expect(files).toContain('docs/adr/0001-nats-packages.md');
  });

  it.each(documents)('%s names only files that exist', (document) => {
    const spans = spansOf(document);
    expect(spans.filter(isPath).filter(missing)).toEqual([]);
    const isKnown = (name: string) => files.some((file) => file === name || file.endsWith(`/${name}`));
    const sources = spans.filter((span) => isSourceFile(span) && !isPath(span) && !span.includes('dist/'));
    expect(sources.filter((name) => !isKnown(name.replace(/^\.\//, '')))).toEqual([]);
  });

  it.each(documents)('%s links only to files that exist', (document) => {
    const targets = [...textOf(document).matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(
      ([, target = '']) => target,
    );
    const own = targets.filter((target) => !/^[a-z]+:/.test(target));
    expect(own.filter((target) => !existsSync(join(root, dirname(document), target)))).toEqual([]);
  });

  it('follow an action with at most one file in each numbered step', () => {
    const steps = textOf('docs/life-of-an-action.md').split(/^(?=\d+\. )/m);
    expect(steps.length).toBeGreaterThan(40);
    const filesIn = (step: string) =>
      [...step.matchAll(/`([^`\n]+)`/g)].filter(([, span = '']) => isPath(span));
    expect(steps.filter((step) => filesIn(step).length > 1)).toEqual([]);
  });

  it('names nothing as not built that is there', () =>
    expect(notBuilt.filter((path) => existsSync(join(root, path)))).toEqual([]));
});

describe('the oldest servers that are supported', () => {
  const oldest = (path: string, pattern: RegExp) => pattern.exec(textOf(path))?.[1];

  it('are the same PostgreSQL in the README, in roles.sql and in the launcher', () => {
    const inLauncher = oldest('tools/launcher/src/postgres/postgres-binaries.ts', /oldestMajor = (\d+)/);
    expect(inLauncher).toMatch(/^\d+$/);
    expect(oldest('README.md', /PostgreSQL of your own \((\d+) or later\)/)).toBe(inLauncher);
    expect(oldest('deploy/postgres/roles.sql', /PostgreSQL server \((\d+) or later\)/)).toBe(inLauncher);
  });

  it('are the same NATS in the README, in permissions.conf and in the launcher', () => {
    const inLauncher = oldest('tools/launcher/src/nats/nats-release.ts', /oldestNats = '([\d.]+)'/);
    expect(inLauncher).toMatch(/^[\d.]+$/);
    expect(oldest('README.md', /NATS of your own \(([\d.]+) or later/)).toBe(inLauncher);
    expect(oldest('deploy/nats/permissions.conf', /\(([\d.]+) or later/)).toBe(inLauncher);
  });
});
