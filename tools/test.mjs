// `npm test [-- [--published] jest arguments]`: the tiers unit, int and e2e, or the tier published alone; then what did not run and
// why, and the one line `N passed, N failed`.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const scratch = await mkdtemp(join(tmpdir(), 'al-test-'));
const resultFile = join(scratch, 'jest.json');
const notRunFile = join(scratch, 'not-run');
const stacksDir = join(scratch, 'stacks');

const onlyPublished = process.argv.includes('--published');
const tiers = onlyPublished ? ['published'] : ['unit', 'int', 'e2e'];

let stopped;
const jest = spawn(
  process.execPath,
  [
    join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    ...['--selectProjects', ...tiers, '--json', `--outputFile=${resultFile}`],
    // Each worker runs servers of its own: more workers than cores take no less time, and calls miss their limit of two seconds.
    `--maxWorkers=${String(Math.min(4, Math.max(2, availableParallelism() - 1)))}`,
    ...process.argv.slice(2).filter((argument) => argument !== '--published'),
  ],
  {
    cwd: root,
    // A process group of its own, with its workers.
    detached: true,
    env: {
      ...process.env,
      NODE_OPTIONS:
        `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim(),
      AL_NOT_RUN_FILE: notRunFile,
      AL_TEST_STACKS: stacksDir,
    },
    // The JSON that --json prints goes to the file as well; the readable report comes on stderr.
    stdio: ['ignore', 'ignore', 'inherit'],
  },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    stopped = signal;
    jest.kill(signal);
  });
process.on('disconnect', () => jest.kill('SIGTERM'));
const exit = await new Promise((done) => {
  jest.once('error', (error) => done(error.message));
  jest.once('close', (code, signal) => done(signal ?? code));
});
endWorkers();
await reapStacks();

const result = await readFile(resultFile, 'utf8').then(JSON.parse, () => undefined);
const lines = (await readFile(notRunFile, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
for (const suite of result?.testResults ?? [])
  for (const test of suite.assertionResults)
    if (['pending', 'todo', 'disabled'].includes(test.status))
      lines.push(`${relative(root, suite.name)}: ${test.fullName}: marked as ${test.status}`);
if (lines.length > 0)
  console.log(`\nDid not run:\n${[...new Set(lines)].map((line) => `  ${line}`).join('\n')}`);
await rm(scratch, { recursive: true, force: true, maxRetries: 5 });

const passed = result?.numPassedTests ?? 0;
let failed = (result?.numFailedTests ?? 0) + (result?.numRuntimeErrorTestSuites ?? 0);
if (result === undefined) console.log(`\nThe test runner itself ended early (${String(stopped ?? exit)}).`);
else if (passed + failed === 0) console.log('\nNo test was found.');
else if (exit !== 0 && failed === 0)
  console.log(`\nThe test runner reported a failure of its own (${String(exit)}).`);
if (failed === 0 && (exit !== 0 || passed === 0)) failed = 1;
console.log(`${String(passed)} passed, ${String(failed)} failed`);
process.exitCode = failed === 0 ? 0 : 1;
process.disconnect?.();

/** Workers outlive a Jest that was killed, and would start again what is stopped next. */
function endWorkers() {
  try {
    process.kill(-jest.pid, 'SIGKILL');
  } catch {
    // None is left.
  }
}

/**
 * Stops the system that test files shared, and what killed workers left behind; all are found by their pid files. The launcher of the
 * shared system is stopped first, because it would start again what it runs.
 */
async function reapStacks() {
  const stacks = await readdir(stacksDir).catch(() => []);
  if (stacks.length === 0) return;
  const { reapLeftovers } = await import('../tools/launcher/dist/process/pid-file.js');
  for (const stack of ['launchers', ...stacks])
    await reapLeftovers(join(stacksDir, stack), { graceMs: 2_000 });
}
