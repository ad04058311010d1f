import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const site = join(import.meta.dirname, '..', 'dist', 'site');
const assets = join(site, 'assets');
const kib = 1024;

/** What a browser fetches before the queue is there: the page's own files, and all that they import. */
function filesOfQueue(): ReadonlySet<string> {
  const html = readFileSync(join(site, 'index.html'), 'utf8');
  const found = new Set<string>();
  const follow = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    if (!name.endsWith('.js')) return;
    const code = readFileSync(join(assets, name), 'utf8');
    for (const [, imported = ''] of code.matchAll(/(?:\bfrom|\bimport)\s*["'`]\.\/([\w.-]+\.js)["'`]/g))
      follow(imported);
  };
  for (const [, name = ''] of html.matchAll(/\/assets\/([\w.-]+)/g)) follow(name);
  return found;
}

const sizeOf = (names: Iterable<string>) =>
  [...names].reduce((sum, name) => sum + statSync(join(assets, name)).size, 0) / kib;
const compressed = (names: readonly string[]) => sizeOf(names.map((name) => `${name}.br`));

it('the queue loads at most 150 KiB of script and 15 KiB of style, compressed', () => {
  const files = [...filesOfQueue()];
  const scripts = files.filter((name) => name.endsWith('.js'));
  expect(scripts.length).toBeGreaterThan(0);
  expect(compressed(scripts)).toBeLessThanOrEqual(150);
  expect(compressed(files.filter((name) => name.endsWith('.css')))).toBeLessThanOrEqual(15);
});

it('fonts are at most 60 KiB together', () => {
  const fonts = readdirSync(assets).filter((name) => name.endsWith('.woff2'));
  expect(fonts.length).toBe(2);
  expect(sizeOf(fonts)).toBeLessThanOrEqual(60);
});

it('the page has no inline script or style', () => {
  const html = readFileSync(join(site, 'index.html'), 'utf8');
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*\bsrc=)|\son\w+=/);
});
