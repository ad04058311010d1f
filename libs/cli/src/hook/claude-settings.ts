import { applyEdits, findNodeAtLocation, modify, parseTree } from 'jsonc-parser';
import { faultsOfEntry, type HookEntry, hostLimitSeconds, isOurLine } from './hook-line.js';
import { jsoncOptions, readJsonc } from './jsonc.js';

/** What a settings file of Claude Code says about our hook. */
export interface ClaudeState {
  readonly line: string;
  /** Why it does not hold every call; empty when it does. */
  readonly faults: readonly string[];
}

const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };
/** The JSON of the entry. It has no matcher, so it is for every tool. */
export const claudeEntry = (line: string) => ({
  hooks: [
    {
      ...{ type: 'command', command: line, timeout: hostLimitSeconds, onFailure: 'block' },
      statusMessage: 'Asking AgentLattice',
    },
  ],
});

const ourMembers: ReadonlySet<string> = new Set(claudeEntry('').hooks.flatMap(Object.keys));

/** @throws Error when the file cannot be changed without loss */
export function withClaudeHook(text: string, line: string): string {
  const found = positions(text);
  const [first, ...more] = found;
  let next = text.trim() === '' ? '{}\n' : text;
  for (const { group } of more.toReversed()) next = without(next, ['hooks', 'PreToolUse', group]);
  if (first === undefined) {
    const count = groupsOf(next).length;
    return edited(next, ['hooks', 'PreToolUse', count], claudeEntry(line), true);
  }
  const standing = JSON.stringify(groupsOf(next)[first.group]);
  if (standing === JSON.stringify(claudeEntry(line))) return next;
  return edited(next, ['hooks', 'PreToolUse', first.group], claudeEntry(line));
}

/** The same text when there is no hook of ours. @throws Error when the file cannot be changed without loss */
export function withoutClaudeHook(text: string): string {
  let next = text;
  for (const { group, only } of positions(text).toReversed()) {
    if (!only) throw new Error('our hook stands in one entry with others; remove it by hand');
    next = without(next, ['hooks', 'PreToolUse', group]);
  }
  if (next === text) return text;
  if (groupsOf(next).length === 0) next = without(next, ['hooks', 'PreToolUse']);
  const hooks = objectIn(next)['hooks'];
  return hooks !== undefined && Object.keys(hooks as object).length === 0 ? without(next, ['hooks']) : next;
}

export function claudeState(text: string): ClaudeState | null {
  const settings = objectIn(text);
  const [found] = positions(text);
  if (found === undefined) return null;
  const group = groupsOf(text)[found.group] as HookEntry['group'];
  const entry = entriesOf(group).find(({ command }) => isOurLine(command)) ?? {};
  return {
    line: String(entry['command']),
    faults: [
      ...faultsOfEntry({ group, entry }, ourMembers),
      ...(settings['disableAllHooks'] === true ? ['disableAllHooks is set, so no hook runs'] : []),
      ...(entry['onFailure'] === 'block' ? [] : ['onFailure is not "block"']),
    ],
  };
}

/** Takes one value, or one member, and one comma out; the library would also take the comments after it, and leave a comma at the end. */
function without(text: string, path: (string | number)[]): string {
  const tree = parseTree(text, [], jsoncOptions);
  const value = tree && findNodeAtLocation(tree, path);
  const own = value?.parent?.type === 'property' ? value.parent : value;
  const among = own?.parent?.children ?? [];
  if (own === undefined) throw new Error('it holds no such hook');
  const at = among.indexOf(own);
  const [before, after] = [among[at - 1], among[at + 1]];
  const end = own.offset + own.length;
  if (before !== undefined) {
    const comma = commaIn(text, before.offset + before.length, own.offset);
    const kept = text.slice(comma + 1, own.offset).trimEnd();
    // What follows must not become a part of a comment.
    const lineEnd = /\/\/[^\n]*$/.test(kept) ? '\n' : '';
    return text.slice(0, comma) + kept + lineEnd + text.slice(end);
  }
  // The last one may have a comma as well.
  const comma = after === undefined ? firstComma(text, end) : commaIn(text, end, after.offset);
  const rest = (comma === null ? text.slice(end) : text.slice(comma + 1)).trimStart();
  const begin = text.slice(0, own.offset);
  // Nothing is left between the brackets.
  return (/[[{]\s*$/.test(begin) && /^[\]}]/.test(rest) ? begin.trimEnd() : begin) + rest;
}

/** Between two values stand only spaces, comments and one comma. */
function commaIn(text: string, from: number, to: number): number {
  const comma = firstComma(text, from, to);
  if (comma === null) throw new Error('it cannot be changed here');
  return comma;
}

function firstComma(text: string, from: number, to?: number): number | null {
  const before = /^(?:\s|\/\/[^\n]*\n|\/\*[^]*?\*\/)*,/.exec(text.slice(from, to));
  return before === null ? null : from + before[0].length - 1;
}

function positions(text: string): readonly { readonly group: number; readonly only: boolean }[] {
  return groupsOf(text).flatMap((group, index) => {
    const entries = entriesOf(group);
    return entries.some(({ command }) => isOurLine(command))
      ? [{ group: index, only: entries.length === 1 }]
      : [];
  });
}

function groupsOf(text: string): readonly unknown[] {
  const { hooks = {} } = objectIn(text);
  if (typeof hooks !== 'object' || hooks === null || Array.isArray(hooks))
    throw new Error('its member "hooks" is no object');
  const groups = (hooks as Record<string, unknown>)['PreToolUse'] ?? [];
  if (!Array.isArray(groups)) throw new Error('its member "hooks.PreToolUse" is no list');
  return groups;
}

const entriesOf = (group: unknown): readonly HookEntry['entry'][] => {
  const entries = (group as { hooks?: unknown } | null)?.hooks;
  return Array.isArray(entries)
    ? entries.filter((one): one is HookEntry['entry'] => typeof one === 'object' && one !== null)
    : [];
};

function objectIn(text: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  const { value, fault } = readJsonc(text);
  if (fault !== null) throw new Error(`it ${fault}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('it holds no JSON object');
  return value as Record<string, unknown>;
}

const edited = (text: string, path: (string | number)[], value: unknown, isArrayInsertion = false) =>
  applyEdits(text, modify(text, path, value, { formattingOptions, isArrayInsertion }));
