// Writes openapi/openapi.json from the route table: `node tools/bootstrap.mjs run tools/render-openapi.mjs [--check]`.
// With `--release <version>` it also keeps the document as that release has it, in openapi/released, once and for all.
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { openApiDocument } from '@agentlattice/contracts';

const folder = new URL('../openapi/', import.meta.url);
const target = new URL('openapi.json', folder);
const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;

if (process.argv.includes('--check')) {
  if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
    console.error(
      'openapi/openapi.json is out of date; look at the difference after: node tools/bootstrap.mjs run tools/render-openapi.mjs',
    );
    process.exitCode = 1;
  }
} else {
  await writeFile(target, text);
  const at = process.argv.indexOf('--release');
  if (at !== -1) await keep(process.argv[at + 1] ?? '');
}
process.disconnect?.();

async function keep(version) {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error('--release takes a version such as 0.5.0');
  const released = new URL('released/', folder);
  await mkdir(released, { recursive: true });
  // Fails where the release is kept already: nobody changes what was released.
  await writeFile(new URL(`${version}.json`, released), text, { flag: 'wx' });
  const sum = createHash('sha256').update(text).digest('hex');
  await appendFile(new URL('SHA256SUMS', released), `${sum}  ${version}.json\n`);
}
