import { headersFor } from './security-headers.js';

describe('the headers of every answer', () => {
  it('tell browsers to stay on https only where people reach the gateway by it', () => {
    expect(headersFor('https://approvals.example.com')['strict-transport-security']).toMatch(
      /^max-age=\d{8}/,
    );
    for (const url of ['http://127.0.0.1:3000', undefined])
      expect(headersFor(url)).not.toHaveProperty('strict-transport-security');
  });

  it('let no page run or embed anything of another origin', () => {
    const policy = headersFor(undefined)['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
  });
});
