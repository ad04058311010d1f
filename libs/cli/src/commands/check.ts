import { policyCheckRoutes } from '@agentlattice/contracts';
import { exitCode } from '../exit-code.js';
import type { Ports } from '../ports.js';
import { anObject, readJsonArgument } from '../read-argument.js';
import { conditionText } from '../render/condition-text.js';
import { safeJson, safeText } from '../render/safe-text.js';

export interface CheckRequest {
  readonly action: string;
  readonly metadata: string;
  /** Undefined: of the key. */
  readonly agent: string | undefined;
}

/** A dry run. @returns 0 allowed, 1 denied, 2 a person would decide */
export async function check({ action, metadata, agent }: CheckRequest, ports: Ports): Promise<number> {
  const text = await readJsonArgument('--metadata', metadata, anObject, ports.stdin);
  const agentId = agent === undefined ? undefined : await idOf(agent, ports);
  // The metadata is sent as it was written.
  const who = agentId === undefined ? '' : `,"agent_id":${JSON.stringify(agentId)}`;
  const answer = await ports.api.call(policyCheckRoutes.checkPolicyWithMetadata, {
    body: `{"action_type":${JSON.stringify(action)},"metadata":${text}${who}}`,
  });
  const { allowed, needs_approval, policy_name, reason, conditions_evaluated } = answer;
  const code = needs_approval ? exitCode.timeout : allowed ? exitCode.ok : exitCode.refused;
  if (ports.json) {
    ports.terminal.print(safeJson({ ...answer, exit_code: code }, 2));
    return code;
  }
  const { good, bad, open } = ports.style;
  const verdict = needs_approval ? open('a person would decide') : allowed ? good('allowed') : bad('denied');
  const policy = policy_name === null ? '' : ` by the policy ${safeText(policy_name)}`;
  ports.terminal.print(`${verdict}${policy}: ${safeText(action)} (${safeText(reason)})`);
  for (const condition of conditions_evaluated) ports.terminal.print(`  ${conditionText(condition)}`);
  return code;
}

async function idOf(agent: string, ports: Ports): Promise<string> {
  const { findAgent } = await import('./agents.js');
  return (await findAgent(agent, ports)).id;
}
