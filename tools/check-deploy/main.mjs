// Everything about deployment that needs tools of other projects: `npm run check:deploy [-- --release]`. Needs Python 3 and Go,
// and kubectl or time to build kustomize. One line for each check; `--release` also asks for digests of all images.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { newSecrets, writeSecrets } from '../deploy-secrets.mjs';
import { podFaults } from './pod-rules.mjs';
import { isOfAnOperator, setFaults } from './set-rules.mjs';
import { installTools, root } from './tools.mjs';

const requireDigests = process.argv.includes('--release');
/** The oldest version that we support, and the newest one whose schemas the tool has. */
const kubernetesVersions = ['1.30', '1.37'];
const overlays = ['demo', 'production', 'production-with-components'];
const execute = promisify(execFile);
const tools = await installTools();
const scratch = await mkdtemp(join(tmpdir(), 'al-check-deploy-'));

const run = (command, args, options = {}) =>
  execute(command, args, { cwd: root, maxBuffer: 1 << 26, ...options });
const outputOf = ({ stdout = '', stderr = '' }) => `${stdout}${stderr}`;
let failures = 0;

/** Runs a check. It fails by throwing; the text is shown then. */
async function check(name, work) {
  const begun = Date.now();
  const fault = await Promise.resolve()
    .then(work)
    .then(
      () => '',
      (error) => outputOf(error).trim() || String(error),
    );
  if (fault !== '') failures++;
  console.log(`${fault === '' ? 'ok    ' : 'FAILED'} ${name} (${String(Date.now() - begun)} ms)`);
  if (fault !== '') console.log(fault.replaceAll(/^/gm, '       '));
}

/** What each tool judges of manifests: they pass, or the promise is rejected. */
const judges = {
  'kubernetes-validate': async (file) => {
    for (const version of kubernetesVersions) {
      const said = outputOf(await run(tools.kubernetesValidate, ['--strict', '-k', version, file]));
      // A removed API is only a warning for the tool.
      if (/Couldn't find schema/i.test(said)) throw new Error(`Kubernetes ${version}: ${said}`);
    }
  },
  'kube-score': (file) =>
    run(tools.kubeScore, [
      ...['score', '--kubernetes-version', 'v1.34', '-o', 'ci', '--exit-one-on-warning'],
      // Images have versions or digests. We spread by topologySpreadConstraints. Limits of CPU make answers late.
      '--ignore-test',
      'container-image-pull-policy,deployment-has-host-podantiaffinity,statefulset-has-host-podantiaffinity',
      '--ignore-container-cpu-limit',
      file,
    ]).catch((error) => {
      throw new Error(
        outputOf(error)
          .split('\n')
          .filter((line) => !/^\[(OK|SKIPPED)\]/.test(line))
          .join('\n'),
      );
    }),
  rules: async (file) => {
    const manifests = parseAllDocuments(await readFile(file, 'utf8')).map((document) => document.toJS());
    const faults = [
      ...manifests.flatMap((manifest) => podFaults(manifest, { requireDigests })),
      ...setFaults(manifests),
    ];
    if (faults.length > 0) throw new Error(faults.join('\n'));
  },
};

try {
  // The overlay of the demo needs secrets, and a developer's own are none of our business.
  const copy = join(scratch, 'repository');
  for (const path of ['k8s', 'deploy'])
    await cp(join(root, path), join(copy, path), {
      recursive: true,
      filter: (source) => !source.endsWith('/secrets'),
    });
  await writeSecrets(join(copy, 'k8s', 'overlays', 'demo', 'secrets'));

  // What an installation would write that wants all optional components.
  const withComponents = join(copy, 'k8s', 'overlays', 'production-with-components');
  await mkdir(withComponents);
  const components = await readdir(join(root, 'k8s/components'));
  await writeFile(
    join(withComponents, 'kustomization.yaml'),
    stringify({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: ['../production'],
      components: components.map((name) => `../../components/${name}`),
    }),
  );

  for (const overlay of overlays) {
    const file = join(scratch, `${overlay}.yaml`);
    await check(`${overlay}: renders`, async () => {
      const [program, ...args] = tools.render;
      const { stdout } = await run(program, [...args, join(copy, 'k8s', 'overlays', overlay)]);
      await writeFile(file, stdout);
    });
    // Schemas are those of Kubernetes; resources of operators are judged by our rules alone.
    const ofKubernetes = join(scratch, `${overlay}.kubernetes.yaml`);
    const documents = parseAllDocuments(await readFile(file, 'utf8').catch(() => ''));
    const own = documents.filter((document) => !isOfAnOperator(document.toJS()));
    await writeFile(ofKubernetes, own.map(String).join('---\n'));
    for (const [name, judge] of Object.entries(judges))
      await check(`${overlay}: ${name}`, () => judge(name === 'rules' ? file : ofKubernetes));
  }

  // The first line of each sample says who must find what: a tool that finds nothing any more is no check.
  for (const name of (await readdir(join(root, 'tools/check-deploy/samples'))).sort()) {
    const sample = join(root, 'tools/check-deploy/samples', name);
    const [, judge = '', fault = ''] =
      /^# refused by ([\w-]+): (.+)/.exec(await readFile(sample, 'utf8')) ?? [];
    await check(`the sample ${name} is refused by ${judge}`, async () => {
      const said = await judges[judge](sample).then(
        () => '',
        (error) => `${outputOf(error)}${error.message}`,
      );
      if (!said.includes(fault) || fault === '') throw new Error(`"${fault}" is not in: ${said}`);
    });
  }

  await check('Dockerfile: hadolint', () => run(tools.hadolint, ['-c', '.hadolint.yaml', 'Dockerfile']));
  await check('Dockerfile: ends with a numeric user', async () => {
    const stages = (await readFile(join(root, 'Dockerfile'), 'utf8')).split(/^FROM /m);
    const runtime = stages.find((stage) => stage.includes(' AS runtime')) ?? '';
    if (!/^USER \d+:\d+$/m.test(runtime) || stages.filter((stage) => /^USER /m.test(stage)).length !== 1)
      throw new Error('the stage `runtime`, and no other one, sets a numeric user');
  });
  const variables = Object.fromEntries(
    newSecrets()
      ['compose.env'].split('\n')
      .filter(Boolean)
      .map((line) => line.split('=')),
  );
  await check('docker-compose.yml: compose-go', () =>
    run(tools.checkCompose, ['docker-compose.yml'], { env: { ...process.env, ...variables } }),
  );
  const schema = (name, ...files) =>
    check(`${files.join(', ')}: schema ${name}`, () =>
      run(tools.checkJsonschema, ['--builtin-schema', name, ...files]),
    );
  await schema('vendor.compose-spec', 'docker-compose.yml');
  const workflows = (await readdir(join(root, '.github/workflows'))).map(
    (name) => `.github/workflows/${name}`,
  );
  await schema('vendor.github-workflows', ...workflows);
  const lintWorkflows = (files, cwd) =>
    run(tools.actionlint, files, {
      cwd,
      env: { ...process.env, PATH: `${tools.pythonBin}${delimiter}${process.env.PATH}` },
    });
  await check('workflows: actionlint with shellcheck', () => lintWorkflows(workflows, root));
  await check('the GitHub Action in the workflow of its guide: actionlint', async () => {
    // A repository of a user: the names of inputs and outputs are read from the action.
    const repository = join(scratch, 'repository');
    await mkdir(join(repository, '.github', 'workflows'), { recursive: true });
    await mkdir(join(repository, '.git'));
    await cp(join(root, 'clients/github-action'), join(repository, 'clients/github-action'), {
      recursive: true,
    });
    const [, workflow] = /```yaml\n([^]*?)```/.exec(
      await readFile(join(root, 'docs/clients/github-action.md'), 'utf8'),
    );
    const file = '.github/workflows/deploy.yml';
    await writeFile(join(repository, file), workflow);
    await lintWorkflows([file], repository);
    await writeFile(join(repository, file), workflow.replace('base-url:', 'base_url:'));
    const refused = await lintWorkflows([file], repository).catch(outputOf);
    if (!String(refused).includes('"base_url" is not defined'))
      throw new Error(`an unknown input is not refused: ${String(refused)}`);
  });
  const scripts = (await readdir(join(root, 'tools'))).filter((name) => name.endsWith('.sh'));
  await check(`tools: shellcheck of ${scripts.join(', ')}`, () =>
    run(
      join(tools.pythonBin, 'shellcheck'),
      scripts.map((name) => join('tools', name)),
    ),
  );
  await check('telemetry', () => run(process.execPath, ['tools/check-telemetry.mjs']));
} finally {
  await rm(scratch, { recursive: true, force: true });
}
console.log(failures === 0 ? 'all checks passed' : `${String(failures)} checks failed`);
process.exitCode = failures === 0 ? 0 : 1;
process.disconnect?.();
