import type { Given } from '../../dashboard-pages.e2e.spec.js';

export function notificationChecks(given: () => Given): void {
  it('makes a webhook, shows its secret once, and what a test sent and got', async () => {
    const { admin, receiver } = given();
    await admin.goto('/notifications');
    await admin.getByRole('button', { name: 'New channel' }).click();
    const form = admin.getByRole('dialog', { name: 'New channel' });
    await form.getByLabel('Name').fill('Ops hook');
    await form.getByLabel('URL').fill('http://user:word@example.com/');
    await form.getByRole('button', { name: 'Create' }).click();
    await form.getByText(/http or https URL without credentials/).waitFor();
    await form.getByLabel('URL').fill(`${receiver.url}/hook`);
    await form.getByRole('button', { name: 'Create' }).click();
    const shown = admin.getByRole('dialog', { name: 'Ops hook is created' });
    const secret = await shown.locator('code').innerText();
    expect(secret).toMatch(/^whsec_/);
    await shown.getByRole('button', { name: 'Done' }).click();

    await admin.getByRole('button', { name: 'Send a test Ops hook' }).click();
    const test = admin.getByRole('dialog', { name: 'Test of Ops hook' });
    await test.getByText('It arrived').waitFor();
    expect(await test.getByRole('group', { name: 'The request' }).innerText()).toMatch(/^POST .*\/hook/);
    expect(await test.getByRole('group', { name: 'The answer' }).innerText()).toMatch(/^200\s+noted$/);
    await test.getByRole('button', { name: 'Done' }).click();
    expect(receiver.verified('/hook', secret)).toHaveLength(1);
  });

  it('lists deliveries with their attempts, sends one again, and shows a mail that was kept', async () => {
    const { admin, dashboard, receiver } = given();
    const mail = {
      type: 'email',
      name: 'On call',
      to: ['oncall@example.com'],
      events: ['approval.requested'],
    };
    await dashboard.admin.post('/api/v1/channels', mail);
    receiver.answer({ status: 500 });
    await dashboard.ask('deploy.notify', { service: 'checkout' });
    await admin.goto('/notifications');
    await admin.getByText('Retrying', { exact: true }).waitFor();
    receiver.answer({ status: 200 });
    await admin
      .getByRole('row', { name: /Ops hook Retrying/ })
      .getByRole('button', { name: 'A person is asked' })
      .click();
    await admin
      .getByRole('dialog', { name: 'A person is asked' })
      .getByText(/answer 500/)
      .first()
      .waitFor();
    await admin.getByRole('button', { name: 'Done' }).click();

    await admin.getByLabel('State of deliveries').selectOption('kept');
    await admin.waitForURL(/status=kept/);
    await admin.getByRole('button', { name: 'A person is asked' }).first().click();
    const kept = admin.getByRole('dialog', { name: 'A person is asked' });
    expect(await kept.getByRole('group', { name: 'The mail' }).innerText()).toMatch(
      /To: oncall@example\.com/,
    );
    await kept.getByRole('button', { name: 'Done' }).click();
    await admin
      .getByRole('button', { name: /^Send again/ })
      .first()
      .click();
    await admin.getByText('2 attempts').waitFor();
  });
}
