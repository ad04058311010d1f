// The `images` of an overlay with the digests of a release: `node tools/release-images.mjs <folder of *.digest> <registry>`.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { images } from './image-root.mjs';

const [folder, registry] = process.argv.slice(2);
if (registry === undefined)
  throw new Error('usage: node tools/release-images.mjs <folder of *.digest> <registry>');
const present = (await readdir(folder)).map((name) => name.replace(/\.digest$/, ''));
const missing = images.filter((name) => !present.includes(name));
if (missing.length > 0) throw new Error(`there is no digest of ${missing.join(', ')}`);
console.log('images:');
for (const name of images) {
  const digest = (await readFile(join(folder, `${name}.digest`), 'utf8')).trim();
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`the digest of ${name} is none`);
  console.log(`  - name: agentlattice/${name}\n    newName: ${registry}/${name}\n    digest: ${digest}`);
}
