import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
/** Outside of what git and npm look at; kept from one run to the next. */
const cache = join(root, 'node_modules/.cache/agent-frameworks');

/** The frameworks that the adapters are for, as they are published. The core package stands for `@openai/agents` without its clients. */
const frameworks = {
  '@langchain/core': '1.4.0',
  '@langchain/langgraph': '1.7.3',
  '@openai/agents-core': '0.20.0',
  ai: '7.0.173',
  langchain: '1.5.14',
  zod: '4.6.7',
};

/** A folder from which programs import the frameworks, the adapters and the TypeScript SDK. */
export interface ProgramFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Installs the frameworks once. They are no dependencies of this repository, so that installing it stays quick.
 * @throws when the package registry is not there
 */
export async function programFolder(): Promise<ProgramFolder> {
  const manifest = JSON.stringify({ private: true, type: 'module', dependencies: frameworks });
  const installed = join(cache, createHash('sha256').update(manifest).digest('hex').slice(0, 16));
  if (!(await readFile(join(installed, 'complete'), 'utf8').then(Boolean, () => false))) {
    await mkdir(cache, { recursive: true });
    const making = await mkdtemp(join(cache, 'making-'));
    await writeFile(join(making, 'package.json'), manifest);
    await run('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], {
      cwd: making,
    });
    await writeFile(join(making, 'complete'), 'yes');
    // Another process may have been faster.
    await rename(making, installed).catch(() => rm(making, { recursive: true, force: true }));
  }
  const path = await mkdtemp(join(installed, 'programs-'));
  await copyAdapters(join(path, 'node_modules/@agentlattice/adapters'));
  // The name that the guide uses.
  const openai = join(path, 'node_modules/@openai/agents');
  await mkdir(openai, { recursive: true });
  await writeFile(
    join(openai, 'package.json'),
    '{"name":"@openai/agents","type":"module","exports":"./index.js"}',
  );
  await writeFile(join(openai, 'index.js'), "export * from '@openai/agents-core';\n");
  await writeFile(join(openai, 'index.d.ts'), "export * from '@openai/agents-core';\n");
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** As a package that finds the frameworks: its build to run, its sources to check the types. */
async function copyAdapters(to: string): Promise<void> {
  const from = join(root, 'libs/adapters');
  await cp(join(from, 'dist'), join(to, 'dist/package'), {
    recursive: true,
    // The package itself may be being made at the moment.
    filter: (path) => path !== join(from, 'dist/package'),
  });
  await cp(join(from, 'src'), join(to, 'src'), {
    recursive: true,
    filter: (path) => !path.endsWith('.d.ts') && !path.endsWith('.spec.ts'),
  });
  await cp(join(from, 'package.json'), join(to, 'package.json'));
}
