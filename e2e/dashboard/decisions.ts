import { eventually } from '@agentlattice/testkit';
import type { Page } from 'playwright-core';
import { type Dashboard, tile } from '../kit/dashboard.js';

/** Decisions whose answer is lost, or that another person overtakes. */
export function decisionChecks(given: () => { dashboard: Dashboard; admin: Page; member: Page }): void {
  it('finds out what became of a decision whose answer was lost', async () => {
    const { dashboard, admin } = given();
    const id = await dashboard.ask('deploy.lost');
    const button = tile(admin, 'deploy.lost').getByRole('button', { name: 'Approve once' });
    await button.waitFor();
    // The server hears the decision, and its answer does not come back; nothing else comes through for a while.
    const ways = ['**/api/v1/approvals?**', `**/api/v1/approvals/${id}`];
    for (const way of ways) await admin.route(way, (route) => route.abort());
    await admin.route('**/approve', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await button.click();
    await tile(admin, 'deploy.lost').getByText('Not known yet, checking…').waitFor();
    expect(await admin.getByText('You approved deploy.lost once.').count()).toBe(0);
    expect(await dashboard.ended(id)).toMatchObject({ status: 'approved' });
    for (const way of ways) await admin.unroute(way);
    await admin.getByText('You approved deploy.lost once.').waitFor();
    await admin.unroute('**/approve');
  });

  it('says that nothing was recorded when the decision itself was lost, and keeps the reason', async () => {
    const { dashboard, admin } = given();
    const id = await dashboard.ask('deploy.unheard');
    await admin.route('**/deny', (route) => route.abort());
    await tile(admin, 'deploy.unheard').getByRole('button', { name: 'Deny' }).click();
    const dialog = admin.getByRole('alertdialog', { name: 'Deny deploy.unheard?' });
    await dialog.getByRole('textbox', { name: /^Reason/ }).fill('Not this week');
    await dialog.getByRole('button', { name: 'Deny' }).click();
    await dialog.getByText('nothing was recorded').waitFor();
    expect(await dashboard.statusOf(id)).toMatchObject({ status: 'pending', votes: [] });
    await admin.unroute('**/deny');
    await dialog.getByRole('button', { name: 'Deny' }).click();
    await admin.getByText('You denied deploy.unheard.').waitFor();
    expect(await dashboard.ended(id)).toMatchObject({ status: 'denied', reason: 'Not this week' });
  });

  it('names who was faster, and keeps the reason that was typed', async () => {
    const { dashboard, admin, member } = given();
    const id = await dashboard.ask('deploy.overtaken');
    await tile(admin, 'deploy.overtaken').getByRole('button', { name: 'Deny' }).click();
    const dialog = admin.getByRole('alertdialog');
    await dialog.getByRole('textbox', { name: /^Reason/ }).fill('Wait for the audit');
    await admin.route('**/api/v1/approvals?**', () => undefined);
    await tile(member, 'deploy.overtaken').getByRole('button', { name: 'Approve once' }).click();
    await dashboard.ended(id);
    await dialog.getByRole('button', { name: 'Deny' }).click();
    await admin.getByText(/Mia approved this .*before you\. Nothing you did was recorded\./).waitFor();
    expect(await admin.getByLabel('The reason you typed').inputValue()).toBe('Wait for the audit');
    await admin.unroute('**/api/v1/approvals?**');
  });

  it('leads from each step of the history to its own entry of the log', async () => {
    const { dashboard, admin } = given();
    await dashboard.admin.policy({
      name: 'Tables',
      action_type: 'table.drop',
      effect: 'require_approval',
      notice: 'Cannot be undone',
    });
    const id = await dashboard.ask('table.drop', { url: 'https://p\u0430ypal.com/x' });
    await tile(admin, 'table.drop').getByText('Cannot be undone').waitFor();
    await tile(admin, 'table.drop').getByText('xn--pypal-4ve.com').waitFor();
    await dashboard.admin.post(`/api/v1/approvals/${id}/deny`, { reason: 'no' });
    await admin.goto(`/approvals/${id}`);
    const steps = admin.getByRole('link', { name: /Its entry in the audit log/ });
    await eventually(async () => (await steps.count()) === 2);
    for (const [i, type] of ['approval.opened', 'approval.denied'].entries()) {
      await steps.nth(i).click();
      await admin.getByRole('heading', { level: 2, name: type }).waitFor();
      expect(new URL(admin.url()).pathname).toMatch(/^\/audit\/\d+$/);
      await admin.goBack();
    }
    await admin.goto('/approvals');
  });
}
