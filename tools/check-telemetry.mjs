// The rules, their tests, the dashboards and the receivers of alerts, judged by tools of Prometheus: `npm run check:deploy` runs this.
// promtool comes from Debian's or Ubuntu's package `prometheus`, which is unpacked and not installed; elsewhere from PATH.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exists, folder, goProgram, once, root } from './check-deploy/tools.mjs';

const amtoolModule = 'github.com/prometheus/alertmanager/cmd/amtool@v0.34.2';
const run = promisify(execFile);
const telemetry = join(root, 'deploy', 'telemetry');

async function promtool() {
  if (await exists('promtool')) return 'promtool';
  const unpacked = join(folder, 'prometheus');
  await once('promtool', 'prometheus', async () => {
    await rm(unpacked, { recursive: true, force: true });
    await mkdir(unpacked, { recursive: true });
    await run('apt-get', ['download', 'prometheus'], { cwd: unpacked });
    const [archive = ''] = (await readdir(unpacked)).filter((name) => name.endsWith('.deb'));
    await run('dpkg-deb', ['-x', archive, '.'], { cwd: unpacked });
  });
  return join(unpacked, 'usr', 'bin', 'promtool');
}

/** The queries of a dashboard as rules, with a value for each variable of Grafana. */
const rulesOf = ({ panels }) =>
  panels.flatMap(({ targets }, panel) =>
    targets.map(({ expr }, target) => ({
      record: `panel:${String(panel)}:${String(target)}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*'),
    })),
  );

/** Where alerts of each severity go. */
const routes = { page: 'pager', ticket: 'tickets', none: 'dead-mans-switch' };

const scratch = await mkdtemp(join(tmpdir(), 'al-check-telemetry-'));
try {
  const prom = await promtool();
  const filesIn = async (name) =>
    (await readdir(join(telemetry, name))).map((file) => join(telemetry, name, file));
  const rules = await filesIn('rules');
  // The server's own configuration names the folder in which its container has the rules.
  const config = join(scratch, 'prometheus.yml');
  const text = await readFile(join(telemetry, 'prometheus.yml'), 'utf8');
  await writeFile(config, text.replace('/etc/prometheus/rules', join(telemetry, 'rules')));
  await run(prom, ['check', 'config', config]);
  await run(prom, ['check', 'rules', '--lint-fatal', ...rules]);
  await run(prom, ['test', 'rules', ...(await filesIn('tests'))]);
  for (const file of await filesIn('dashboards')) {
    const panels = join(scratch, 'panels.json');
    const groups = [{ name: 'panels', rules: rulesOf(JSON.parse(await readFile(file, 'utf8'))) }];
    await writeFile(panels, JSON.stringify({ groups }));
    await run(prom, ['check', 'rules', '--lint-fatal', panels]);
  }
  const am = await goProgram('amtool', amtoolModule);
  const receivers = join(telemetry, 'alertmanager.yml');
  await run(am, ['check-config', receivers]);
  for (const [severity, receiver] of Object.entries(routes)) {
    const { stdout } = await run(am, [
      ...['config', 'routes', 'test', `--config.file=${receivers}`, `--verify.receivers=${receiver}`],
      `severity=${severity}`,
    ]);
    if (stdout.trim() !== receiver) throw new Error(`${severity} goes to ${stdout}`);
  }
} catch (error) {
  console.error(`${error.stdout ?? ''}${error.stderr ?? ''}${error.message}`);
  process.exitCode = 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}
