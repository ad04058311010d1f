import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigFault, type KeyFolder } from './base-config.js';

/** The rights that others must not have to a file of our own. */
const toOwnFile = 0o077;
/** A mounted Secret belongs to root and is readable by the group of the pod. */
const toMountedFile = 0o007;

/** The keys of one purpose, while one takes the place of another (docs/operations/keys.md). */
export interface SigningKeys {
  readonly signing: KeyObject;
  /** The private half of the key that signed before. */
  readonly previous: KeyObject | null;
  /** Public halves of further keys: those that will sign, and those that did. */
  readonly further: readonly KeyObject[];
}

/**
 * `<name>.pem` signs. Every `<name>.<label>.pem` beside it, with a private or a public key, is published and accepted;
 * `<name>.previous.pem` is the key that signed before.
 */
export async function signingKeys(folder: KeyFolder, name: string): Promise<SigningKeys> {
  const signing = await signingKey(folder, name);
  const labelled = (await readdir(folder.path)).filter(
    (file) => file.startsWith(`${name}.`) && file.endsWith('.pem') && file !== `${name}.pem`,
  );
  const closed = folder.isGiven ? toMountedFile : toOwnFile;
  const found = await Promise.all(labelled.sort().map((file) => readAnyKey(join(folder.path, file), closed)));
  const previous = found[labelled.indexOf(`${name}.previous.pem`)] ?? null;
  return {
    signing,
    previous: previous?.type === 'private' ? previous : null,
    further: found.map((key) => (key.type === 'private' ? createPublicKey(key) : key)),
  };
}

/**
 * A service's own Ed25519 key. In a folder of our own it is kept for its owner only and made when it is missing; two instances that
 * start together agree on one. In a given folder it must be there: every replica has the same.
 */
async function signingKey({ path, isGiven }: KeyFolder, name: string): Promise<KeyObject> {
  const file = join(path, `${name}.pem`);
  if (isGiven) return givenKey(file);
  await mkdir(path, { recursive: true, mode: 0o700 });
  return ensureKey(file);
}

async function givenKey(path: string): Promise<KeyObject> {
  const key = await readKey(path, toMountedFile);
  if (key === null) throw new ConfigFault(`The key ${path} is missing: AL_KEYS_DIR must hold it.`);
  return key;
}

async function ensureKey(path: string): Promise<KeyObject> {
  const present = await readKey(path);
  if (present !== null) return present;
  const temporary = `${path}.${randomUUID()}`;
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await file.sync();
  } finally {
    await file.close();
  }
  // A hard link never replaces the key that another instance wrote first.
  await link(temporary, path).catch((error: unknown) => {
    if (!isCode(error, 'EEXIST')) throw error;
  });
  await rm(temporary);
  const made = await readKey(path);
  if (made === null) throw new Error(`${path} does not exist any more`);
  return made;
}

async function readKey(path: string, closed = toOwnFile): Promise<KeyObject | null> {
  try {
    const { mode } = await stat(path);
    if ((mode & closed) !== 0) throw new Error(`${path} can be read by others: chmod 600`);
    const key = createPrivateKey(await readFile(path));
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${path} is not an Ed25519 key`);
    return key;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

async function readAnyKey(path: string, closed: number): Promise<KeyObject> {
  const text = await readFile(path, 'utf8');
  if (!text.includes('PUBLIC KEY')) {
    const key = await readKey(path, closed);
    if (key !== null) return key;
  }
  const key = createPublicKey(text);
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${path} is not an Ed25519 key`);
  return key;
}

const isCode = (error: unknown, code: string) => (error as { code?: unknown }).code === code;
