// Whether the licences of all packages fit Apache-2.0: `npm run check:licences [-- --report]`. Reads the lock file alone, so it
// needs no installation; a report lists every package with its licence.
import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What may be in images and packages that are published. OFL-1.1: the fonts of the dashboard. */
const shipped = new Set([
  ...['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0'],
  ...['BlueOak-1.0.0', 'Unlicense', 'CC0-1.0', 'OFL-1.1'],
]);
/** Also for tools, which are used here and not passed on. */
const tools = new Set([...shipped, 'MPL-2.0', 'Python-2.0', 'CC-BY-4.0']);

/** Of an expression of SPDX with OR and AND, the parts of which have no parentheses of their own. */
export function fits(expression, allowed) {
  const text = expression.replace(/^\((.*)\)$/, '$1');
  if (text.includes('(')) return false;
  return text.split(' OR ').some((one) => one.split(' AND ').every((name) => allowed.has(name)));
}

/** @returns each package of a lock file, and whether its licence fits */
export function licencesOf(lock) {
  return Object.entries(lock.packages)
    .filter(([path, { link }]) => path.includes('node_modules/') && !link)
    .map(([path, { version, license = 'none', dev = false }]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      license,
      dev,
      fits: fits(license, dev ? tools : shipped),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
  const all = licencesOf(JSON.parse(await readFile(file, 'utf8')));
  if (process.argv.includes('--report'))
    for (const { name, version, license, dev } of all)
      console.log([name, version, license, dev ? 'tool' : 'shipped'].join('\t'));
  const wrong = all.filter((one) => !one.fits);
  for (const { name, version, license } of wrong)
    console.error(`${name} ${version}: ${license} is not in the list of tools/check-licences.mjs`);
  console.error(`${String(all.length)} packages, ${String(wrong.length)} with a licence that does not fit`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
