import { eventually } from '@agentlattice/testkit';
import type { Given } from '../../dashboard-pages.e2e.spec.js';

export function keyChecks(given: () => Given): void {
  it('makes a key, rotates it with both working, and revokes it', async () => {
    const { admin, dashboard } = given();
    const status = async (key: string) => (await dashboard.admin.as(key).get('/api/v1/policies')).status;
    await admin.goto('/keys');
    await admin.getByRole('button', { name: 'Make a key' }).click();
    const form = admin.getByRole('dialog', { name: 'Make a key' });
    await form.getByLabel('Name').fill('CI');
    await form.getByRole('button', { name: 'Make the key' }).click();
    await form.getByText('is needed for a key of kind service').waitFor();
    await form.getByLabel(/Read policies/).check();
    await form.getByRole('button', { name: 'Make the key' }).click();
    const secret = admin.locator('dialog code');
    await admin.getByRole('dialog', { name: 'The key CI is made' }).waitFor();
    const first = await secret.innerText();
    expect(await status(first)).toBe(200);
    await admin.getByRole('button', { name: 'Done' }).click();

    await admin.getByRole('button', { name: 'Rotate CI' }).click();
    await admin.getByRole('button', { name: 'Rotate', exact: true }).click();
    await admin.getByRole('dialog', { name: 'The new key of CI' }).waitFor();
    const second = await secret.innerText();
    await admin.getByRole('button', { name: 'Done' }).click();
    expect([await status(first), await status(second)]).toEqual([200, 200]);

    const rows = admin.getByRole('row', { name: /^CI / });
    await rows.getByText('Works').nth(1).waitFor();
    const row = rows.filter({ hasText: second.slice(0, 11) });
    await row.getByRole('button', { name: 'Revoke CI' }).click();
    await admin.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click();
    await row.getByText('Revoked').waitFor();
    await eventually(async () => ((await status(second)) === 401 ? true : undefined));
    expect(await row.getByRole('button').count()).toBe(0);
  });
}
