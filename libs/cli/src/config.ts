import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { exitCode, Failure } from './exit-code.js';

export interface Config {
  readonly baseUrl: string;
  readonly apiKey: string;
}

const defaultBaseUrl = 'http://127.0.0.1:3000';

/**
 * The address of the system and the key of the caller, from the environment.
 * @param keyNames the variables that may hold the key, in order
 * @throws Failure
 */
export async function readConfig(
  env: NodeJS.ProcessEnv,
  folder: string,
  keyNames: readonly string[] = ['AL_API_KEY'],
): Promise<Config> {
  const name = keyNames.find((each) => (env[each] ?? '') !== '') ?? keyNames[0] ?? '';
  const apiKey = env[name] ?? '';
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(apiKey))
    throw new Failure(
      exitCode.usage,
      apiKey === ''
        ? `${keyNames.join(' or ')} is not set. For \`al gate\`, \`execute\` and \`check\` it is an agent’s key (al_agent_…), for \`al approvals\` and the others an operator’s (al_op_…); \`npm start\` says where the first ones are.`
        : `${name} is not a key: it holds characters that no key has.`,
    );
  return { baseUrl: await readBaseUrl(env, folder), apiKey };
}

/**
 * The address of the system, without a slash at its end.
 * @throws Failure
 */
export async function readBaseUrl(env: NodeJS.ProcessEnv, folder: string): Promise<string> {
  const baseUrl = env['AL_BASE_URL'] || (await baseUrlOfStart(env, folder)) || defaultBaseUrl;
  if (!/^https?:$/.test(parsedUrl(baseUrl)?.protocol ?? ''))
    throw new Failure(
      exitCode.usage,
      `AL_BASE_URL must be a URL such as ${defaultBaseUrl}, not “${baseUrl}”.`,
    );
  return baseUrl.replace(/\/+$/, '');
}

/** `URL.parse`, which Node 20 does not have. */
const parsedUrl = (text: string) => (URL.canParse(text) ? new URL(text) : null);

/**
 * The address that the last `npm start` wrote; undefined if there is none. The key is sent there, so a file of a checked-out
 * folder must not be used: git stores neither the mode 0600 nor the owner, and `npm start` listens on this machine.
 */
async function baseUrlOfStart(env: NodeJS.ProcessEnv, folder: string): Promise<string | undefined> {
  const file = join(resolve(folder, env['AL_DATA_DIR'] || '.agentlattice'), 'credentials.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { uid, mode } = await stat(file);
  if (process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o077) !== 0))
    throw new Failure(
      exitCode.usage,
      `${file} was not written by \`npm start\`: it must be yours and readable by you alone (mode 0600). Set AL_BASE_URL if you trust its address.`,
    );
  try {
    const { base_url } = JSON.parse(text) as { base_url?: unknown };
    if (typeof base_url === 'string' && isLoopback(base_url)) return base_url;
  } catch {
    // Reported below.
  }
  throw new Failure(
    exitCode.usage,
    `${file} names no address of this machine; set AL_BASE_URL or run \`npm start\` again.`,
  );
}

const isLoopback = (url: string) =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(parsedUrl(url)?.hostname ?? '');
