import type { Host } from '../hosts.js';

/** A way in which a hook breaks. */
export interface Breakage {
  readonly name: string;
  readonly what: string;
  /** What the program does in place of `al`, as a shell reads it; null: it is not there. */
  readonly script: string | null;
  /** Whether the call is to be made: only where the hook says so. */
  readonly cleared?: true;
  /** It never ends by itself. */
  readonly stuck?: true;
  /** The command runs in a terminal and goes on. */
  readonly terminal?: true;
  /** The command is typed into the one before. */
  readonly typed?: true;
}

export interface BreakagePorts {
  readonly host: Host;
  /** `al hook HOST` with these arguments, as words of a shell. */
  readonly al: (args: {
    readonly rules: string;
    readonly baseUrl: string;
    readonly keyFile: string | null;
  }) => string;
  readonly rules: string;
  readonly brokenRules: string;
  readonly keyFile: string;
  readonly pidFile: string;
  /** An address where nothing listens. */
  readonly nobody: string;
}

/** Codex asks no hook about what is typed into a command that runs, so there must be no such command. */
const typedIntoShell: readonly Breakage[] = [
  { name: 'terminal', what: 'it clears a shell in a terminal', script: 'echo cleared', terminal: true },
  {
    name: 'typed',
    what: 'it is not asked: a command is typed into that shell',
    script: 'exit 1',
    typed: true,
  },
];

/** The last one shows that calls are made at all, so that a call that was not made means something. */
export const breakages = ({
  host,
  al,
  rules,
  brokenRules,
  keyFile,
  pidFile,
  nobody,
}: BreakagePorts): readonly Breakage[] => [
  { name: 'missing', what: 'the program is missing', script: null },
  { name: 'crash', what: 'it ends with code 1', script: 'exit 1' },
  { name: 'killed', what: 'it is killed (SIGKILL)', script: 'kill -9 $$' },
  { name: 'garbage', what: 'it prints something else', script: `echo '{"decision":"allow"}'` },
  { name: 'silent', what: 'it ends with code 0 and says nothing', script: 'exit 0' },
  {
    name: 'stuck',
    what: 'it never ends',
    script: `echo $$ > ${pidFile}; exec sleep 600`,
    stuck: true,
  },
  {
    name: 'unreachable',
    what: 'the system cannot be reached',
    script: al({ rules, baseUrl: nobody, keyFile }),
  },
  {
    name: 'no-key',
    what: 'there is no key',
    script: `unset AL_API_KEY; ${al({ rules, baseUrl: nobody, keyFile: null })}`,
  },
  {
    name: 'broken-rules',
    what: 'the file of rules is broken',
    script: al({ rules: brokenRules, baseUrl: nobody, keyFile }),
  },
  {
    name: 'bad-input',
    what: 'the host describes the call in no known form',
    script: `echo '{"tool":' | ${al({ rules, baseUrl: nobody, keyFile })}`,
  },
  ...(host === 'codex' ? typedIntoShell : []),
  {
    name: 'cleared',
    what: 'for comparison: the hook clears the call',
    script: 'echo cleared',
    cleared: true,
  },
];
