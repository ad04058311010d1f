import type { Api } from './api.js';

/** Policies for the actions `tool.<name>`, and one that nobody decides in time for `tool.brief`. */
export async function toolPolicies(
  admin: Api,
  effects: Readonly<Record<string, 'allow' | 'deny' | 'require_approval'>>,
): Promise<void> {
  for (const [tool, effect] of Object.entries(effects))
    await admin.policy({ name: tool, action_type: `tool.${tool}`, effect });
  const brief = { name: 'brief', action_type: 'tool.brief', effect: 'require_approval', timeout: '1s' };
  await admin.policy(brief);
}
