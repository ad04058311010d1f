import { readFileSync } from 'node:fs';
import type { Given } from '../../dashboard-pages.e2e.spec.js';

export function auditChecks(given: () => Given): void {
  it('finds entries by what the address says, and shows one with its hash links', async () => {
    const { admin } = given();
    await admin.goto('/audit');
    await admin.locator('summary', { hasText: 'Search' }).click();
    await admin.getByLabel('Event type').fill('approval.denied');
    await admin.getByLabel('Agent', { exact: true }).selectOption({ label: 'first-agent' });
    await admin.getByRole('button', { name: 'Search' }).click();
    await admin.waitForURL(/type=approval\.denied/);
    await admin.getByText('“Outside the change window”').waitFor();
    const rows = admin.getByRole('table').getByRole('rowheader');
    expect(await rows.count()).toBe(1);
    await admin.reload();
    await rows.getByRole('link', { name: 'approval.denied' }).click();
    const hashes = admin.getByRole('region', { name: 'Hash links' });
    await hashes.getByText('computed here from its bytes: the same').waitFor();
    await hashes.getByText('computed here from that entry: the same').waitFor();
    await hashes.getByText('the hash of this entry', { exact: true }).waitFor();
    await admin
      .getByRole('region', { name: 'approval.denied' })
      .getByText('Outside the change window')
      .waitFor();
    const [, seq = ''] = /\/audit\/(\d+)$/.exec(admin.url()) ?? [];
    await hashes.getByRole('link', { name: 'Next entry' }).click();
    await admin.getByRole('heading', { level: 1, name: `Entry ${String(Number(seq) + 1)}` }).waitFor();
    await admin.goto('/audit/999999');
    await admin.getByText('The log has no such entry').waitFor();
  });

  it('says when an entry is not the one that the next one names', async () => {
    const { admin } = given();
    await admin.route('**/api/v1/audit/entries?**', async (route) => {
      const response = await route.fetch();
      // As if the database held another action than the one that was hashed.
      await route.fulfill({
        response,
        body: (await response.text()).replaceAll('"decision":', '"decision" :'),
      });
    });
    await admin.goto('/audit/1');
    await admin.getByText('not the same as what was computed here').first().waitFor();
    // An answer that is under way is waited for.
    await admin.unrouteAll({ behavior: 'wait' });
  });

  it('verifies the log on request, and gives everything to check it elsewhere', async () => {
    const { admin, dashboard } = given();
    await admin.goto('/audit');
    await admin.getByRole('button', { name: 'Verify now' }).click();
    await admin.getByText(/entries checked, each with its hash and its place/).waitFor();
    await admin.getByText('The log is intact', { exact: true }).first().waitFor();
    const [download] = await Promise.all([
      admin.waitForEvent('download'),
      admin.getByRole('button', { name: 'Download the entries' }).click(),
    ]);
    const lines = readFileSync(await download.path(), 'utf8')
      .split('\n')
      .filter(Boolean);
    const { text } = await dashboard.admin.get('/api/v1/audit/entries?limit=1000');
    expect(text.startsWith(lines.join('\n'))).toBe(true);
    expect(lines.length).toBeGreaterThan(5);
    for (const name of ['Download the checkpoint', 'Download the key'])
      expect(await admin.getByRole('link', { name }).getAttribute('download')).toMatch(/\.txt$/);
  });
}
