// Writes openapi/openapi.json from the route table: `node tools/bootstrap.mjs run tools/render-openapi.mjs [--check]`.
import { readFile, writeFile } from 'node:fs/promises';
import { openApiDocument } from '@agentlattice/contracts';

const target = new URL('../openapi/openapi.json', import.meta.url);
const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;

if (process.argv.includes('--check')) {
  if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
    console.error(
      'openapi/openapi.json is out of date; look at the difference after: node tools/bootstrap.mjs run tools/render-openapi.mjs',
    );
    process.exitCode = 1;
  }
} else await writeFile(target, text);
process.disconnect?.();
