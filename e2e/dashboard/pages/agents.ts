import type { Given } from '../../dashboard-pages.e2e.spec.js';

export function agentChecks(given: () => Given): void {
  it('registers an agent and shows its key once; suspends it with its requests, and resumes it', async () => {
    const { admin, dashboard } = given();
    await admin.goto('/agents');
    await admin.getByRole('button', { name: 'Register an agent' }).click();
    const form = admin.getByRole('dialog', { name: 'Register an agent' });
    await form.getByLabel('Name').fill('first-agent');
    await form.getByRole('button', { name: 'Register' }).click();
    await form.getByText('is taken').waitFor();
    await form.getByLabel('Name').fill('mail-bot');
    await form.getByRole('button', { name: 'Register' }).click();
    const shown = admin.getByRole('dialog', { name: 'mail-bot is registered' });
    const key = await shown.locator('code').innerText();
    expect(key).toMatch(/^al_agent_/);
    await admin.keyboard.press('Escape');
    await shown.getByText('This is shown once.').waitFor();
    await shown.getByRole('button', { name: 'Done' }).click();
    expect(await admin.content()).not.toContain(key);

    const id = await dashboard.ask('deploy.mail', {}, dashboard.agent.as(key));
    await admin.getByRole('button', { name: 'Suspend mail-bot' }).click();
    const suspend = admin.getByRole('dialog', { name: 'Suspend mail-bot?' });
    await suspend.getByText('Its waiting requests: 1').waitFor();
    await suspend.getByLabel('Reason').fill('It sends too much');
    await suspend.getByLabel(/Cancel them/).check();
    await suspend.getByRole('button', { name: 'Suspend' }).click();
    const row = admin.getByRole('row', { name: /mail-bot/ });
    await row.getByText('Suspended').waitFor();
    await row.getByText('It sends too much').waitFor();
    expect(await dashboard.ended(id)).toMatchObject({ status: 'cancelled' });
    await admin.getByRole('button', { name: 'Resume mail-bot' }).click();
    await admin.getByRole('alertdialog').getByRole('button', { name: 'Resume' }).click();
    await row.getByText('Active').waitFor();
  });
}
