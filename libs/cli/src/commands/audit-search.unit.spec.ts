import type { AuditEvent } from '@agentlattice/contracts';
import type { Ports } from '../ports.js';
import { displayWidth } from '../render/columns.js';
import { noStyle } from '../render/style.js';
import { searchAudit } from './audit-search.js';

const entry: Partial<AuditEvent> = {
  seq: 1_234_567,
  timestamp: '2026-11-29T10:00:00.000Z',
  type: 'approval.grant_consumed',
  action_type: 'deploy.production.frankfurt.payments',
  agent: { id: 'agt_01jd7e5sqcfnmrq9yh4qvxw2k3', name: 'the-agent-with-a-long-name' },
  operator: { id: 'mbr_01jd7e5sqcfnmrq9yh4qvxw2k3', name: 'Ada Novak-Featherstonehaugh', via: 'dashboard' },
  status: 'requested',
  denial_reason: null,
  reason: 'checked with the team on call before it was approved',
  note: null,
};

/** What is printed for that entry on a terminal of that width. */
async function printed(columns: number): Promise<string[]> {
  const lines: string[] = [];
  const ports = {
    api: { call: () => Promise.resolve({ events: [entry], next_cursor: null }) },
    terminal: { columns, isInteractive: true, print: (text: string) => void lines.push(...text.split('\n')) },
    json: false,
    style: noStyle,
  } as unknown as Ports;
  await searchAudit({ limit: 10 }, ports);
  return lines;
}

describe('entries of the audit log on a terminal', () => {
  it.each([80, 100, 140])('fit %i columns', async (width) => {
    const lines = await printed(width);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  it('keep what happened, when, to which action and with which outcome', async () => {
    const [head, row] = await printed(80);
    expect(head?.split(/ {2,}/)).toEqual(['ENTRY', 'TIME', 'TYPE', 'ACTION', 'BY', 'STATUS']);
    expect(row).toMatch(/^1234567 .*approval\..*…  deploy.*requested$/);
  });
});
