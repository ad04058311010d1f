import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { AgentLattice, AgentLatticeError, ConnectionError } from '@agentlattice/sdk';
import { durationMs } from '@agentlattice/contracts';
import { readConfig } from '../config.js';
import { safeText } from '../render/safe-text.js';
import { version } from '../version.js';
import { askedCall, Blocked, clearCall } from './clear-call.js';
import { maskedInput } from './masked-input.js';
import { OpenRequests } from './open-requests.js';
import { judge, longestWaitMs, readRules, type Rules } from './rules.js';
import type { Host } from './hosts.js';
import { readToolCall } from './tool-call.js';

export interface HookRequest {
  readonly host: Host;
  /** Paths. */
  readonly rules: string;
  readonly keyFile: string | undefined;
  readonly baseUrl: string | undefined;
  /** How long to try again when the system cannot be reached. */
  readonly retryForMs: number;
}

export interface HookContext {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadableStream;
  /** The process that started this one. */
  readonly parent: () => number;
}

/** The word that the installed line must read to let a call through; nothing else does. */
export const clearedWord = 'cleared';

const stdinWithinMs = 10_000;
const longestStdin = 16 * 1024 * 1024;
/** The longest wait for a person, and what the last calls may take. */
export const longestLifeMs = longestWaitMs + 55_000;
const parentCheckMs = 500;

class TimeIsOver extends Error {}

/** Judges one call of a tool. @returns null when it may be made, else why not */
export async function runHook(request: HookRequest, context: HookContext): Promise<string | null> {
  const end = new AbortController();
  const parent = context.parent();
  const watch = setInterval(() => {
    if (context.parent() !== parent) end.abort(nobodyWaits());
  }, parentCheckMs);
  try {
    await judgeCall(request, context, end);
    if (context.parent() !== parent) throw nobodyWaits();
    return null;
  } catch (error) {
    return why(error);
  } finally {
    clearInterval(watch);
  }
}

const nobodyWaits = () => new Blocked('the coding agent no longer waits for the answer');

async function judgeCall(request: HookRequest, context: HookContext, end: AbortController): Promise<void> {
  const rules = await rulesAt(request.rules);
  const call = readToolCall(request.host, await textOf(context.stdin));
  const judged = judge(call, rules);
  if (judged.pass) return;
  const { apiKey, baseUrl } = await configOf(request, context.env);
  const waitMs = durationMs(rules.wait) ?? longestWaitMs;
  const timer = setTimeout(() => end.abort(new TimeIsOver()), waitMs);
  try {
    await clearCall(askedCall(call, judged.actionType, maskedInput(call.input, rules, apiKey)), {
      client: new AgentLattice({
        ...{ apiKey, baseUrl, retryForMs: request.retryForMs },
        headers: { 'user-agent': `agentlattice-cli/${version} hook/${request.host}` },
      }),
      requests: new OpenRequests(OpenRequests.folderOf(context.env)),
      caller: createHash('sha256').update(`${baseUrl}\n${apiKey}`).digest('hex'),
      linkTo: (id) => `${baseUrl}/approvals/${encodeURIComponent(id)}`,
      signal: end.signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

async function rulesAt(path: string): Promise<Rules> {
  try {
    const { uid, mode } = await stat(path);
    if (!isOwn(uid) || (mode & 0o002) !== 0)
      throw new Error('they can be changed by others; make the file yours, and writable by you alone');
    return readRules(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Blocked(`the rules in ${path} cannot be used: ${messageOf(error)}`);
  }
}

/** Of this user, or of the administrator of the machine. */
const isOwn = (uid: number) => uid === 0 || uid === process.getuid?.();

/** Without the address that a folder may hold: what an agent can write there must not name the system that decides. */
async function configOf({ keyFile, baseUrl }: HookRequest, env: NodeJS.ProcessEnv) {
  const AL_API_KEY = keyFile === undefined ? env['AL_API_KEY'] : await keyIn(keyFile);
  const AL_BASE_URL = baseUrl ?? env['AL_BASE_URL'];
  if (AL_BASE_URL === undefined || AL_BASE_URL === '')
    throw new Blocked('the address of AgentLattice is not set: install the hook with --base-url');
  try {
    return await readConfig({ AL_API_KEY, AL_BASE_URL }, '/');
  } catch (error) {
    throw new Blocked(messageOf(error));
  }
}

async function keyIn(path: string): Promise<string> {
  const { mode } = await stat(path).catch((error: unknown) => {
    throw new Blocked(`the file of the key cannot be read: ${messageOf(error)}`);
  });
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new Blocked(`${path} can be read by others; make it yours alone: chmod 600 ${path}`);
  return (await readFile(path, 'utf8')).trim();
}

/** Text that is not UTF-8, too long, or never ends is refused. */
async function textOf(stdin: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const read = (async () => {
    for await (const chunk of stdin) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      length += bytes.length;
      if (length > longestStdin) throw new Blocked('the description of the call is too long');
      chunks.push(bytes);
    }
  })();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Blocked('the host did not describe the call in time')),
      stdinWithinMs,
    );
  });
  try {
    await Promise.race([read, late]);
  } finally {
    clearTimeout(timer);
    // A host that never ends its text must not keep this process.
    if (stdin instanceof Readable) stdin.destroy();
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Blocked('the description of the call is not UTF-8');
  }
}

function why(error: unknown): string {
  if (error instanceof Blocked) return error.message;
  if (error instanceof TimeIsOver) return 'AgentLattice did not answer in time. Run it again later.';
  if (error instanceof ConnectionError) return `AgentLattice cannot be asked: ${safeText(error.message)}`;
  if (error instanceof AgentLatticeError) return `${safeText(error.message)} (${safeText(error.code)})`;
  return messageOf(error);
}

const messageOf = (error: unknown) => safeText(error instanceof Error ? error.message : String(error));
