import type { Page } from 'playwright-core';
import { type Dashboard, signIn, tile } from '../kit/dashboard.js';

/** What an open page does when its session changes under it. */
export function sessionChecks(given: () => { readonly dashboard: Dashboard }): void {
  const approve = (page: Page, actionType: string) =>
    tile(page, actionType).getByRole('button', { name: /^Approve once/ });

  it('a role that changes while the page is open gives and takes the buttons', async () => {
    const { dashboard } = given();
    const who = await dashboard.person('Rolf', 'viewer');
    const members = await dashboard.admin.get('/api/v1/members?limit=200');
    const { id } = (members.body['members'] as { id: string; email: string }[]).find(
      ({ email }) => email === who.email,
    ) ?? { id: '' };
    const become = (role: string) =>
      dashboard.admin.call('PATCH', `/api/v1/members/${id}`, { body: { role } });
    const page = await dashboard.signedIn(who);
    await dashboard.ask('deploy.roles');
    await tile(page, 'deploy.roles').waitFor();
    expect(await approve(page, 'deploy.roles').count()).toBe(0);
    await become('member');
    await approve(page, 'deploy.roles').waitFor();
    await become('viewer');
    await approve(page, 'deploy.roles').waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('a reason that was typed is still there after the session ended and the person signed in again', async () => {
    const { dashboard } = given();
    const who = await dashboard.person('Rita', 'member');
    const id = await dashboard.ask('deploy.draft');
    const page = await dashboard.signedIn(who);
    const openDialog = () => tile(page, 'deploy.draft').getByRole('button', { name: 'Deny' }).click();
    const dialog = page.getByRole('alertdialog');
    await openDialog();
    await dialog.getByRole('textbox').fill('Not before the backup');
    await page.context().clearCookies();
    await dialog.getByRole('button', { name: 'Deny' }).click();
    await page.getByLabel('E-mail').waitFor();
    await signIn(page, who);
    await openDialog();
    expect(await dialog.getByRole('textbox').inputValue()).toBe('Not before the backup');
    await dialog.getByRole('button', { name: 'Deny' }).click();
    expect(await dashboard.ended(id)).toMatchObject({ status: 'denied', reason: 'Not before the backup' });
    await page.context().close();
  });

  it('a page whose session another tab replaced shows the person who is signed in now', async () => {
    const { dashboard } = given();
    const other = await dashboard.person('Olga', 'member');
    await dashboard.ask('deploy.tabs');
    const page = await dashboard.signedIn(dashboard.administrator);
    const second = await page.context().newPage();
    await second.goto('/approvals');
    const entered = await second.evaluate(async (body) => {
      const answer = await fetch('/api/v1/sign-in', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return answer.status;
    }, other);
    expect(entered).toBe(200);
    await approve(page, 'deploy.tabs').click();
    await page.getByRole('button', { name: /Olga/ }).waitFor();
    await tile(page, 'deploy.tabs').waitFor();
    await page.context().close();
  });

  it('the switch of the workspace shows the other one at once, and decisions are possible in it', async () => {
    const { dashboard } = given();
    const { email, password } = dashboard.administrator;
    const made = await dashboard.admin.post('/api/v1/workspaces', {
      name: 'Second place',
      admin: { email, name: 'Root', password },
    });
    expect(made.status).toBe(201);
    const page = await dashboard.signedIn(dashboard.administrator);
    await page.getByRole('button', { name: /account/ }).click();
    await page.getByRole('combobox', { name: 'Workspace' }).selectOption('Second place');
    await page.getByRole('button', { name: /Root.*Second place/s }).waitFor();
    await page.getByRole('button', { name: /account/ }).click();
    await page.getByRole('combobox', { name: 'Workspace' }).selectOption('Default');
    await page.getByRole('button', { name: /Administrator.*Default/s }).waitFor();
    await dashboard.ask('deploy.switched');
    await approve(page, 'deploy.switched').click();
    await page.getByText(/You approved/).waitFor();
    await page.context().close();
  });
}
