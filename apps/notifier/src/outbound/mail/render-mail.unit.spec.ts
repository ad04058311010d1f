import { outgoingEventTypes } from '@agentlattice/contracts';
import { type CloudEvent, mailContent } from '../../domain/mail-content.js';
import { renderMail } from './render-mail.js';

const approvalId = 'apr_01m88r2x04f6ftfm2r74t5dha4';
const event = (
  data: Record<string, unknown>,
  type: CloudEvent['type'] = 'approval.escalated',
): CloudEvent => ({
  specversion: '1.0',
  id: 'evt_1',
  source: '/workspaces/org_1/approval-service',
  type,
  subject: approvalId,
  time: '2026-11-25T08:10:00.000Z',
  datacontenttype: 'application/json',
  data,
});
const usual = {
  agent: { id: 'agt_1', name: 'deploy-bot' },
  action_type: 'deploy.production',
  policy: { id: 'pol_1', name: 'production-deploys', version: 3 },
  level: 2,
  timeout_at: '2026-11-25T08:30:00.000Z',
};
const publicUrl = 'https://approvals.example.com';
const mailOf = (...of: Parameters<typeof event>) => {
  const content = mailContent(event(...of), publicUrl);
  return { ...renderMail(content), subject: content.subject };
};

describe('a mail', () => {
  it('names the agent, the action, the policy, the deadline and the link to decide', () => {
    const { subject, text, html } = mailOf(usual);
    expect(subject).toBe('Escalated: approval still needed: deploy.production');
    for (const body of [text, html])
      for (const part of [
        'deploy-bot',
        'deploy.production',
        'production-deploys',
        '2026-11-25 08:30 UTC',
        `${publicUrl}/approvals/${approvalId}`,
      ])
        expect(body).toContain(part);
    expect(text).toContain('Level: 2');
  });

  it('marks and separates the text that the agent wrote', () => {
    const { text, html } = mailOf(usual);
    expect(text).toMatch(
      /Written by the agent, not checked by anybody:\n> Action: deploy.production\n> Agent: deploy-bot\n/,
    );
    const quoted =
      /not checked by anybody:<\/p>\s*<blockquote[^>]*>([\s\S]*?)<\/blockquote>/.exec(html)?.[1] ?? '';
    expect(quoted).toContain('deploy-bot');
    expect(html.replace(quoted, '')).not.toContain('deploy-bot');
  });

  it('escapes HTML in that text', () => {
    const name = `</blockquote><a href="https://evil.example">click</a>&"'<script>`;
    const { html } = mailOf({ ...usual, agent: { id: 'agt_1', name } });
    expect(html).not.toContain('<script>');
    expect(html).not.toContain('href="https://evil.example"');
    expect(html.match(/<\/blockquote>/g)).toHaveLength(1);
  });

  it('lets no value add lines to the header or the text', () => {
    const name = 'bot\r\nBcc: all@example.com\u2028\u202egnp.exe\u0000\u200b';
    const { subject, text } = mailOf({ ...usual, agent: { id: 'agt_1', name }, action_type: name });
    expect(subject).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(text.split('\n').filter((line) => line.startsWith('Bcc'))).toEqual([]);
    expect(text).not.toMatch(/[\u202e\u2028\0\u200b]/);
  });

  it('stays short', () => {
    const { subject, text } = mailOf({ ...usual, action_type: 'x'.repeat(5_000) });
    expect([...subject].length).toBeLessThanOrEqual(150);
    expect(text.length).toBeLessThan(2_000);
  });

  it.each([...outgoingEventTypes, 'channel.test'] as const)('says %s whatever it holds', (type) => {
    const { subject, text, html } = mailOf({ reason: 7, agent: null, policy: [] }, type);
    expect(subject).not.toBe('');
    expect(text).not.toContain('undefined');
    expect(html).not.toContain('undefined');
    expect(text.includes(publicUrl)).toBe(type.startsWith('approval.'));
  });
});
