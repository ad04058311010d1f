// Puts what the image of one program holds into an empty folder: `node tools/image-root.mjs <service>|migrate <folder>`.
// The Dockerfile calls it, and a test starts every program from such a folder. Everything must have been built.
//
// Packages are copied from node_modules, as the lock file has them, and only those that the program loads: neither the embedded
// servers and Node, nor tools, nor packages of other services get into an image.
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const services = ['gateway', 'policy-engine', 'approval-service', 'audit-ledger', 'notifier'];
export const images = [...services, 'migrate'];

/** Loaded only where telemetry is exported, which the job does not do. */
const notForTheJob = '@opentelemetry/sdk-node';

/** Types, maps, texts, tests and examples of packages, except for their licences. */
const leftOut = (path) =>
  (/\.(?:[cm]?ts|map|md|markdown)$/i.test(path) && !/licen[cs]e|notice|copying/i.test(basename(path))) ||
  /^(?:tests?|__tests__|benchmarks?|examples?|docs?|\.github)$/.test(path);

export async function imageRoot(image, folder) {
  if (!images.includes(image)) throw new Error(`there is no image ${image}; there are ${images.join(', ')}`);
  if (existsSync(folder) && (await readdir(folder)).length > 0) throw new Error(`${folder} is not empty`);
  const { version, license } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const packages = new Set();
  const put = async (project, program, target) => {
    const bundle = join(root, project, 'dist', 'bundle');
    const contents = JSON.parse(await readFile(join(bundle, 'contents.json'), 'utf8'))[`${program}.js`];
    for (const file of contents.files)
      // The job's programs share most of their code; its errors are shown without our sources.
      for (const name of image === 'migrate' ? [file] : [file, `${file}.map`])
        if (existsSync(join(bundle, name))) await cp(join(bundle, name), join(folder, target, name));
    for (const name of contents.packages) packages.add(name);
  };
  await mkdir(folder, { recursive: true });
  if (image === 'migrate') {
    // The launcher looks for migrations and for the gateway's program in the places that they have in the repository.
    await put('tools/launcher', 'migrate', 'tools/launcher/dist');
    for (const service of services) await put(`apps/${service}`, 'migrations/index', `apps/${service}/dist`);
    await put('apps/gateway', 'first-start', 'apps/gateway/dist/bundle');
    packages.delete(notForTheJob);
  } else await put(`apps/${image}`, 'main', '.');
  if (image === 'gateway')
    await cp(join(root, 'apps', 'dashboard', 'dist', 'site'), join(folder, 'dashboard'), { recursive: true });
  await mkdir(join(folder, 'tools'), { recursive: true });
  await cp(join(root, 'tools', 'service-preload.mjs'), join(folder, 'tools', 'service-preload.mjs'));
  await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const manifest = { name: `agentlattice-${image}`, version, license, type: 'module', private: true };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const path of await packagesFor(packages))
    await cp(join(root, path), join(folder, path), {
      recursive: true,
      filter: (source) => {
        const inside = relative(join(root, path), source);
        return !inside.split('/').includes('node_modules') && !leftOut(inside);
      },
    });
}

/** The folders of packages and of all that they depend on, by the lock file. */
async function packagesFor(names) {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')).packages;
  const own = lock[''].dependencies;
  const found = new Set();
  const find = (name, from) => {
    for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
      const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
      if (lock[path] !== undefined) return path;
      if (folder === '') return undefined;
    }
  };
  const add = (name, from, isOptional) => {
    const path = find(name, from);
    // Frameworks name packages that they use only where they are installed.
    if (path === undefined || (isOptional && !existsSync(join(root, path)))) {
      if (isOptional) return;
      throw new Error(`${from} needs ${name}, which is not in the lock file`);
    }
    if (found.has(path)) return;
    found.add(path);
    const {
      dependencies = {},
      optionalDependencies = {},
      peerDependencies = {},
      peerDependenciesMeta = {},
    } = lock[path];
    for (const needed of Object.keys(dependencies)) add(needed, path, false);
    for (const wanted of Object.keys(optionalDependencies)) add(wanted, path, true);
    for (const peer of Object.keys(peerDependencies)) {
      const isOptionalPeer = peerDependenciesMeta[peer]?.optional === true;
      if (!isOptionalPeer || own[peer] !== undefined) add(peer, path, isOptionalPeer);
    }
  };
  for (const name of names) add(name, '', true);
  return [...found].sort();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [image, folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('usage: node tools/image-root.mjs <service>|migrate <folder>');
  await imageRoot(image, resolve(folder));
}
