import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const script = join(import.meta.dirname, 'kind-check.sh');
/** Answers of a gateway, so that the order of the steps can be checked where no cluster can run. */
const curl = `#!/bin/bash
while [ $# -gt 1 ]; do case $1 in --output) out=$2;; --request) method=$2;; esac; shift; done
status=200
case "$method \${1#http://127.0.0.1:*/}" in
  'POST api/v1/actions') status=202; echo '{"approval_id":"apr_1"}' > "$out";;
  'POST api/v1/policies') status=201; echo '{}' > "$out";;
  *status) echo '{"status":"approved"}' > "$out";;
  *verify) echo '{"chain_valid":true}' > "$out";;
  *) echo '{}' > "$out";;
esac
printf %s "$status"`;

describe('the first check in a cluster', () => {
  let folder: string;
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n');
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  };
  const noting = (name: string, more = '') =>
    put(name, `#!/bin/bash\necho "${name} $*" >> '${folder}/calls'\n${more}\n`);
  const run = (args: readonly string[], path: string) =>
    spawnSync('/bin/bash', [script, ...args], {
      encoding: 'utf8',
      env: { PATH: path, TMPDIR: folder, KIND_CHECK_PAUSE: '0', KIND_CHECK_SECRETS: join(folder, 'secrets') },
    });
  const whole = (args: readonly string[] = ['--no-build']) =>
    run(args, `${folder}:${process.env['PATH'] ?? '/usr/bin:/bin'}`);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'al-kind-'));
    for (const name of ['docker', 'kind']) noting(name);
    noting('kubectl', 'case "$*" in *port-forward*) exec sleep 60;; esac');
    put('curl', curl);
    symlinkSync(process.execPath, join(folder, 'node'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    [['--help'], 0],
    [['--unknown'], 2],
    [['--name'], 2],
  ])('%s shows its usage', (args, code) => {
    const { status, stdout, stderr } = whole(args);
    expect([status, `${stdout}${stderr}`]).toEqual([code, expect.stringMatching(/^usage: .+\n$/)]);
  });

  it('says in one sentence which tool is missing', () => {
    const none = join(folder, 'none');
    mkdirSync(none);
    expect(run([], none)).toMatchObject({
      status: 2,
      stderr: 'kind-check needs docker on PATH.\n',
      stdout: '',
    });
    noting('docker', '[ "$1" != info ]');
    expect(whole()).toMatchObject({
      status: 2,
      stderr: 'kind-check needs a Docker daemon that answers (docker info).\n',
    });
  });

  it('prints one line for each check, and takes its cluster away', () => {
    const { status, stdout } = whole();
    const lines = stdout.trimEnd().split('\n');
    expect([status, lines.at(-1)]).toEqual([0, 'all checks passed']);
    expect(lines.slice(0, -1).filter((line) => !line.startsWith('ok     '))).toEqual([]);
    expect(lines).toHaveLength(15);
    const order = ['kind create cluster', 'kind load', 'apply --kustomize', 'rollout restart', 'kind delete'];
    const places = order.map((part) => calls().findIndex((call) => call.includes(part)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it('stops at the first check that fails, with code 1, and takes its cluster away', () => {
    noting('kubectl', 'case "$*" in *"rollout status statefulset/nats"*) echo "no nodes"; exit 1;; esac');
    const { status, stdout } = whole();
    expect(status).toBe(1);
    expect(stdout).toContain('FAILED servers, migration and services are ready\nno nodes');
    expect(stdout).not.toContain('a policy is made');
    expect(calls().at(-1)).toContain('kind delete cluster --name agentlattice-check');
  });
});
