import { type Host, hosts } from './hosts.js';

/** The program and the arguments that judge a call. */
export interface HookCommand {
  readonly host: Host;
  /** The program with its first arguments: Node and the file of `al`. */
  readonly program: readonly string[];
  readonly rules: string;
  readonly baseUrl: string;
  readonly keyFile: string | undefined;
}

/** What the line says, and how it is found again. */
export const blockedText = 'AgentLattice blocks this call: its hook did not clear it.';

/** In seconds. A host that stops waiting may make the call, so it must wait longer than the hook ever lives. */
export const hostLimitSeconds = 86_400;

export const wordsOf = ({ host, program, rules, baseUrl, keyFile }: HookCommand): readonly string[] => [
  ...program,
  ...['hook', host, '--rules', rules, '--base-url', baseUrl],
  ...(keyFile === undefined ? [] : ['--key-file', keyFile]),
];

/**
 * The line for hosts that run a shell. Only the word `cleared` opens it: a program that is missing, was killed, ends with any
 * code or prints anything else ends in code 2 with a text, which is the one form that both hosts take for a denial. `sh` reads
 * it, whatever shell the host uses.
 * @throws Error for a word that a shell would change
 */
export function hookLine(command: HookCommand): string {
  const words = wordsOf(command).map((word) => {
    if (/["'$`\\\n\r!]/.test(word))
      throw new Error(`${word} holds a character that shells change; use another path`);
    return `"${word}"`;
  });
  return `${lineBegin}${words.join(' ')}${lineEnd}`;
}

const lineBegin = `sh -c '[ "$(`;
const lineEnd = `)" = cleared ] || { echo "${blockedText}" >&2; exit 2; }'`;

/** Finds our line also where it was changed, so that installing repairs it and uninstalling removes it. */
export const isOurLine = (command: unknown): command is string =>
  typeof command === 'string' && command.includes(blockedText);

/** The words of the hook that a line runs; null: it is not as it was installed, and may let calls through. */
export function wordsInLine(line: string): readonly string[] | null {
  if (!line.startsWith(lineBegin) || !line.endsWith(lineEnd)) return null;
  const words = line.slice(lineBegin.length, line.length - lineEnd.length);
  if (!/^"[^"'$`\\\n\r!]*"( "[^"'$`\\\n\r!]*")*$/.test(words)) return null;
  return hookWords(words.slice(1, -1).split('" "'));
}

/** The words, if they run a hook. Any other program could print the word that opens the line. */
export const hookWords = (words: readonly string[]): readonly string[] | null => {
  const at = words.indexOf('hook');
  return at > 0 && (hosts as readonly unknown[]).includes(words[at + 1]) && words[at + 2] === '--rules'
    ? words
    : null;
};

/** What `al hook status` says of a line or a plugin that was changed. */
export const changedText = 'it was changed and may let calls through: install it again';

/** An entry of a host's settings that runs our line, and the group that it stands in. */
export interface HookEntry {
  readonly group: Readonly<Record<string, unknown>>;
  readonly entry: Readonly<Record<string, unknown>>;
}

/** @param installed the members that the installed entry has; others may narrow it, such as `if` and `async` */
export function faultsOfEntry(
  { group, entry }: HookEntry,
  installed: ReadonlySet<string>,
): readonly string[] {
  const { command, type, timeout } = entry;
  const { matcher } = group;
  return [
    ...(wordsInLine(String(command)) === null ? [changedText] : []),
    ...(type === 'command' ? [] : ['its type is not "command"']),
    ...(typeof timeout === 'number' && timeout >= hostLimitSeconds
      ? []
      : ['its timeout is shorter than the hook may wait']),
    ...(matcher === undefined || matcher === '' || matcher === '*'
      ? []
      : ['it has a matcher, so it misses tools']),
    ...Object.keys(entry)
      .filter((name) => !installed.has(name))
      .map((name) => `it has the member ${JSON.stringify(name)}, so it may miss calls or not be waited for`),
  ];
}
