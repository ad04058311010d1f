import { Api } from '../../api-calls.js';
import { readBaseUrl, readConfig } from '../../config.js';
import { exitCode } from '../../exit-code.js';
import type { ProgramContext } from '../../program/registration.js';
import { safeJson } from '../../render/safe-text.js';
import { type Style, styleFor } from '../../render/style.js';
import { type Check, warning } from './check.js';
import { checkServers } from './check-servers.js';
import { checkGateway, checkWithKey } from './check-system.js';

export interface DoctorRequest {
  readonly sendTests: boolean;
  readonly json: boolean;
  readonly color: boolean;
}

/** Short: who asks wants to know how it is now. */
const retryForMs = 1;

/** Checks a deployment. @returns 1 when a check failed */
export async function doctor(
  { sendTests, json, color }: DoctorRequest,
  { env, folder, terminal }: ProgramContext,
): Promise<number> {
  const baseUrl = await readBaseUrl(env, folder);
  const [{ checks: gateway, answers }, servers] = await Promise.all([
    checkGateway(baseUrl),
    checkServers(env, folder),
  ]);
  const withKey = answers ? await keyChecks(env, folder, sendTests) : [];
  const checks = [...gateway, ...withKey, ...servers];
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length;
  const code = count('failed') > 0 ? exitCode.refused : exitCode.ok;
  if (json) terminal.print(safeJson({ checks, exit_code: code }, 2));
  else {
    const style = styleFor(terminal.isInteractive, env, color);
    for (const line of checks.map((check) => checkText(check, style))) terminal.print(line);
    terminal.print(
      `\n${String(count('ok'))} ok, ${String(count('warning'))} warning${count('warning') === 1 ? '' : 's'}, ${String(count('failed'))} failed`,
    );
  }
  return code;
}

async function keyChecks(env: NodeJS.ProcessEnv, folder: string, sendTests: boolean): Promise<Check[]> {
  if ((env['AL_API_KEY'] ?? '') === '')
    return [
      warning(
        'key',
        'AL_API_KEY is not set, so people, keys and channels were not checked.',
        'Set it to an operator’s key (al_op_…).',
      ),
    ];
  return checkWithKey(new Api({ ...(await readConfig(env, folder)), retryForMs }), sendTests);
}

export function checkText({ part, status, text, remedy }: Check, style: Style): string {
  const paint = { ok: style.good, warning: style.open, failed: style.bad }[status];
  const line = `${paint(status.padEnd(7))}  ${style.bold(part.padEnd(9))}  ${text}`;
  return remedy === null ? line : `${line}\n${' '.repeat(20)}→ ${remedy}`;
}
