/** The coding agents whose hooks `al` speaks. */
export const hosts = ['claude-code', 'codex', 'opencode'] as const;
export type Host = (typeof hosts)[number];

export const hostNames: Readonly<Record<Host, string>> = {
  'claude-code': 'Claude Code',
  codex: 'Codex',
  opencode: 'opencode',
};
