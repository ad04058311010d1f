import { isDeepStrictEqual } from 'node:util';
import { parse } from 'smol-toml';
import { faultsOfEntry, type HookEntry, hostLimitSeconds, isOurLine } from './hook-line.js';

/** What Codex says of a hook: where it stands, and the hash that a person must have trusted. */
export interface CodexTrust {
  readonly key: string;
  readonly hash: string;
}

const begin = (name: string) => `# >>> AgentLattice ${name}: written by \`al hook install\``;
const end = (name: string) => `# <<< AgentLattice ${name}`;

/**
 * The hook, and no terminals for the agent: Codex asks its hooks about a command, but not about what is typed into one that
 * runs (`write_stdin`), so an approved shell would let everything through.
 * @throws Error when the file cannot be changed without loss
 */
export function withCodexHook(text: string, line: string): string {
  const block = [
    '[[hooks.PreToolUse]]',
    '[[hooks.PreToolUse.hooks]]',
    'type = "command"',
    `command = ${JSON.stringify(line)}`,
    `timeout = ${String(hostLimitSeconds)}`,
    'statusMessage = "Asking AgentLattice"',
  ].join('\n');
  return withBlock(withoutTerminals(text), 'hook', block);
}

function withoutTerminals(text: string): string {
  const { features } = tables(text) as { features?: { unified_exec_tty?: unknown } };
  if (features?.unified_exec_tty === false) return text;
  const how =
    'set unified_exec_tty = false among its features: Codex does not ask hooks about what is typed into a command';
  if (features?.unified_exec_tty !== undefined) throw new Error(how);
  const off = 'unified_exec_tty = false';
  if (features === undefined) return withBlock(text, 'terminals', `[features]\n${off}`);
  const head = /^\[features\][^\S\n]*(#.*)?\n/m.exec(text);
  if (head === null) throw new Error(how);
  const at = head.index + head[0].length;
  const next = `${text.slice(0, at)}${begin('terminals')}\n${off}\n${end('terminals')}\n${text.slice(at)}`;
  const read = tables(next) as { features?: { unified_exec_tty?: unknown } };
  if (read.features?.unified_exec_tty !== false) throw new Error(how);
  checkSame(text, withoutBlock(next, 'terminals'));
  return next;
}

export const withCodexTrust = (text: string, { key, hash }: CodexTrust): string =>
  withBlock(
    text,
    `trust ${key}`,
    `[hooks.state.${JSON.stringify(key)}]\ntrusted_hash = ${JSON.stringify(hash)}`,
  );

export function withoutCodexHook(text: string): string {
  return withoutBlock(withoutBlock(text, 'hook'), 'terminals');
}

/** Without what was trusted for the file at this path. */
export function withoutCodexTrust(text: string, configPath: string): string {
  const keys = [...text.matchAll(/^# >>> AgentLattice trust (.+): written by `al hook install`$/gm)]
    .map(([, key = '']) => key)
    .filter((key) => key.startsWith(`${configPath}:`));
  return keys.reduce((rest, key) => withoutBlock(rest, `trust ${key}`), text);
}

/** Our line in a configuration; null: there is none. @throws Error when it is no TOML */
export function codexLine(text: string): string | null {
  const found = ourEntry(text);
  return found === null ? null : String(found.entry['command']);
}

/** Why our hook in a configuration does not hold every call, as far as its entry says it; empty also where there is none. */
export function codexFaults(text: string): readonly string[] {
  const found = ourEntry(text);
  return found === null ? [] : faultsOfEntry(found, ourMembers);
}

const ourMembers: ReadonlySet<string> = new Set(['type', 'command', 'timeout', 'statusMessage']);

function ourEntry(text: string): HookEntry | null {
  const { hooks } = tables(text) as {
    hooks?: { PreToolUse?: (HookEntry['group'] & { hooks?: HookEntry['entry'][] })[] };
  };
  for (const group of hooks?.PreToolUse ?? [])
    for (const entry of group.hooks ?? []) if (isOurLine(entry['command'])) return { group, entry };
  return null;
}

function withBlock(text: string, name: string, block: string): string {
  const whole = `${begin(name)}\n${block}\n${end(name)}\n`;
  const at = blockAt(text, name);
  if (at !== null && text.slice(at.from, at.to) === whole) return text;
  const rest = withoutBlock(text, name);
  const gap = rest === '' ? '' : rest.endsWith('\n') ? '\n' : '\n\n';
  const next = `${rest}${gap}${whole}`;
  checkSame(rest, withoutBlock(next, name));
  // An inline table of the same name cannot be extended; then nothing is written.
  tables(next);
  return next;
}

function withoutBlock(text: string, name: string): string {
  const at = blockAt(text, name);
  if (at === null) return text;
  // With the empty line that was put before it.
  const from = text.slice(0, at.from).endsWith('\n\n') ? at.from - 1 : at.from;
  return text.slice(0, from) + text.slice(at.to);
}

function blockAt(text: string, name: string): { readonly from: number; readonly to: number } | null {
  const from = text.indexOf(`${begin(name)}\n`);
  if (from === -1) return null;
  const last = text.indexOf(`${end(name)}\n`, from);
  if (last === -1)
    throw new Error(`it holds the line “${begin(name)}” without its end; remove the block by hand`);
  return { from, to: last + end(name).length + 1 };
}

function checkSame(before: string, after: string): void {
  if (!isDeepStrictEqual(tables(before), tables(after)))
    throw new Error('it would not be the same afterwards');
}

function tables(text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`it is not TOML (${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''})`);
  }
}
