import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { exitCode, Failure } from '../../exit-code.js';
import type { ProgramContext } from '../../program/registration.js';
import { contentOf } from '../../read-argument.js';
import { safeJson, safeText } from '../../render/safe-text.js';
import { styleFor } from '../../render/style.js';
import { ArchiveCheck, type Damage, type Intact, readKey } from './archive-check.js';
import { damageText } from './damage-text.js';
import { Progress } from './progress.js';
import { ArchiveDamaged, readTar } from './tar.js';

export interface VerifyRequest {
  readonly file: string;
  /** The trusted key, or `@file`; undefined: the one in the archive. */
  readonly key: string | undefined;
  readonly json: boolean;
  readonly color: boolean;
}

/** Checks an archive without the system. @returns 0 intact, 1 damaged */
export async function verifyArchive(
  { file, key, json, color }: VerifyRequest,
  { terminal, stdin, env }: Pick<ProgramContext, 'terminal' | 'stdin' | 'env'>,
): Promise<number> {
  const trusted = key === undefined ? null : readKey((await contentOf('--key', key, stdin)).trim());
  if (trusted === null && key !== undefined)
    throw new Failure(
      exitCode.usage,
      '--key is no verifier key. Give it as NAME+HASH+KEY, or @file with that in it.',
    );
  const check = new ArchiveCheck(trusted);
  const progress = new Progress(terminal, 'checked');
  const verdict = await verdictOn(file, check, progress);
  progress.end();
  const code = verdict.ok ? exitCode.ok : exitCode.refused;
  if (json) {
    terminal.print(
      safeJson({ file, ...verdict, key_trusted: verdict.ok && trusted !== null, exit_code: code }, 2),
    );
    return code;
  }
  const { good, bad } = styleFor(terminal.isInteractive, env, color);
  if (!verdict.ok) {
    terminal.print(`${safeText(file)}: ${bad('damaged')}: ${damageText(verdict)}`);
    return code;
  }
  const { size, log, disclosed, undisclosed } = verdict;
  terminal.print(
    `${safeText(file)}: ${good('intact')}: ${String(size)} entries of ${safeText(log ?? 'an empty log')}, signed by ${safeText(verdict.key)}; the values of ${String(disclosed)} entries fit, ${String(undisclosed)} have none here (never had, erased or withheld)`,
  );
  if (trusted === null)
    terminal.say(
      'The key came with the archive. That shows that nothing was changed since it was signed, not who signed it: compare the key with the one you know, or give that with --key.',
    );
  return code;
}

/** Reads the archive to its end, or to the first thing that makes the rest worthless. */
async function verdictOn(file: string, check: ArchiveCheck, progress: Progress): Promise<Intact | Damage> {
  const source = createReadStream(file);
  const unzipped = createGunzip();
  source.on('error', (error) => unzipped.destroy(error));
  try {
    for await (const tarred of readTar(source.pipe(unzipped))) {
      if (!check.take(tarred)) break;
      progress.at(check.checked, check.covered);
    }
    return check.finish();
  } catch (error) {
    const { code = '', syscall } = error as NodeJS.ErrnoException;
    if (syscall !== undefined)
      throw new Failure(exitCode.usage, `${safeText(file)} cannot be read (${code}).`);
    if (error instanceof ArchiveDamaged) return check.finish(error.message);
    if (code.startsWith('Z_')) return check.finish(`it cannot be unpacked (${(error as Error).message})`);
    throw error;
  } finally {
    source.destroy();
    unzipped.destroy();
  }
}
