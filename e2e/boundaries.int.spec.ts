import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The faults that ESLint finds in a file with this text at this path. */
function complaints(path: string, text: string): string {
  const eslint = join(root, 'node_modules/eslint/bin/eslint.js');
  const { stdout } = spawnSync(process.execPath, [eslint, '--stdin', '--stdin-filename', path], {
    cwd: root,
    input: text,
    encoding: 'utf8',
  });
  return stdout;
}

describe('module boundaries hold', () => {
  it.each([
    ['an app imports no other app', 'apps/gateway/src/x.ts', "import '@agentlattice/notifier';"],
    ['nor by a path', 'apps/gateway/src/x.ts', "import '../../notifier/src/main.js';"],
    [
      'nor a file inside a library',
      'apps/gateway/src/x.ts',
      "import '@agentlattice/contracts/dist/errors.js';",
    ],
    ['an app does not import the tests’ kit', 'apps/gateway/src/x.ts', "import '@agentlattice/testkit';"],
    ['a pure library imports no library of I/O', 'libs/ledger/src/x.ts', "import '@agentlattice/messaging';"],
    ['contracts import no library of I/O', 'libs/contracts/src/x.ts', "import '@agentlattice/event-store';"],
    ['a domain folder imports no framework', 'apps/gateway/src/domain/x.ts', "import '@nestjs/common';"],
    ['a domain folder imports no shell', 'apps/gateway/src/domain/x.ts', "import '../outbound/y.js';"],
    ['a domain folder reads no clock', 'apps/gateway/src/domain/x.ts', 'export const t = Date.now();'],
    ['a domain folder throws no dice', 'libs/decider/src/x.ts', 'export const t = Math.random();'],
  ])('%s', (_rule, path, text) =>
    expect(complaints(path, text)).toMatch(/no-restricted-(imports|properties)/),
  );

  it.each([
    ['an app imports the libraries', 'apps/gateway/src/x.ts', "import '@agentlattice/event-store';"],
    ['a spec imports the tests’ kit', 'apps/gateway/src/x.int.spec.ts', "import '@agentlattice/testkit';"],
  ])('%s', (_rule, path, text) => expect(complaints(path, text)).not.toContain('no-restricted'));
});
