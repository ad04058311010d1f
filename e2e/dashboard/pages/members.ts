import type { Given } from '../../dashboard-pages.e2e.spec.js';

export function memberChecks(given: () => Given): void {
  it('invites a person by a link that lets them in, changes them, and removes them', async () => {
    const { admin, dashboard } = given();
    await admin.goto('/members');
    await admin.getByRole('button', { name: 'Add a person' }).click();
    const form = admin.getByRole('dialog', { name: 'Add a person' });
    await form.getByLabel('E-mail').fill('jonas@example.com');
    await form.getByLabel('Name').fill('Jonas Weber');
    await form.getByLabel('Groups').fill('Finance, Security');
    await form.getByRole('button', { name: 'Make the invitation' }).click();
    const shown = admin.getByRole('dialog', { name: 'Invite Jonas Weber' });
    const link = await shown.locator('code').innerText();
    await shown.getByRole('button', { name: 'Done' }).click();
    const row = admin.getByRole('row', { name: /Jonas Weber/ });
    await row.getByText('Invited').waitFor();

    const jonas = await dashboard.page();
    const { pathname, hash } = new URL(link);
    expect(pathname).toBe('/accept-invitation');
    await jonas.goto(pathname + hash);
    await jonas.getByLabel('Password').fill('a password of my own');
    await jonas.getByRole('button', { name: 'Accept the invitation' }).click();
    await jonas.getByRole('heading', { level: 1, name: 'Approvals' }).waitFor();
    await admin.reload();
    await row.getByText('Active').waitFor();

    await admin.getByRole('button', { name: 'Change Jonas Weber' }).click();
    const change = admin.getByRole('dialog', { name: 'Change Jonas Weber' });
    await change.getByLabel('Role').selectOption('viewer');
    await change.getByLabel('Groups').fill('Finance');
    await change.getByRole('button', { name: 'Save' }).click();
    await row.getByText('Viewer').waitFor();
    await jonas.goto('/approvals');
    await jonas.getByText('View only.').waitFor();

    await admin.getByRole('button', { name: 'Remove Jonas Weber' }).click();
    await admin.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
    await row.waitFor({ state: 'detached' });
    await jonas.goto('/approvals');
    await jonas.getByLabel('Password').waitFor();
    await jonas.context().close();
  });

  it('does not let the last administrator leave', async () => {
    const { admin } = given();
    await admin.goto('/members');
    await admin.getByRole('button', { name: /^Change Administrator/ }).click();
    const change = admin.getByRole('dialog', { name: 'Change Administrator' });
    await change.getByLabel('Role').selectOption('viewer');
    await change.getByRole('button', { name: 'Save' }).click();
    await change.getByRole('alert').waitFor();
    await change.getByRole('button', { name: 'Cancel' }).click();
    await admin
      .getByRole('row', { name: /Administrator/ })
      .getByRole('cell', { name: /^Admin/ })
      .waitFor();
  });
}
