import { addAgent } from '../../kit/people.js';
import type { Given } from '../../dashboard-pages.e2e.spec.js';

export function policyChecks(given: () => Given): void {
  it('writes a policy with conditions, shows faults at their fields, and tries it out', async () => {
    const { admin, dashboard } = given();
    await admin.goto('/policies');
    await admin.getByRole('link', { name: 'New policy' }).click();
    await admin.getByLabel('Name').fill('Payments');
    await admin.getByLabel('Action type').fill('pay.*');
    await admin.getByLabel('What happens').selectOption('conditional');
    await admin.getByRole('button', { name: 'Add a condition' }).click();
    const condition = admin.getByRole('group', { name: 'Condition 1' });
    const field = condition.getByLabel('Field');
    expect(
      await admin
        .locator(`datalist[id="${(await field.getAttribute('list')) ?? ''}"] option`)
        .evaluateAll((options) => options.map((option) => option.getAttribute('value'))),
    ).toEqual(expect.arrayContaining(['change.count', 'service', 'agent.name', 'time.hour']));
    await field.fill('agent.colour');
    await condition.getByLabel('Value').fill('500');
    await condition.getByText('Compared with the number 500.').waitFor();
    await admin.getByLabel('Timeout').fill('0s');
    await admin.getByRole('button', { name: 'Create the policy' }).click();
    await admin.getByText(/a positive duration such as 90s/).waitFor();
    expect(await admin.getByLabel('Timeout').getAttribute('aria-invalid')).toBe('true');
    await admin.getByLabel('Timeout').fill('45m');
    await admin.getByRole('button', { name: 'Create the policy' }).click();
    await condition.getByText(/agent has only/).waitFor();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await field.fill('amount');
    await admin.getByRole('button', { name: 'Create the policy' }).click();
    await admin.getByRole('heading', { level: 1, name: 'Payments' }).waitFor();
    await admin.getByText('amount ≤ 500').waitFor();

    const tryOut = admin.getByRole('region', { name: /Try an action/ });
    const answer = async (metadata: string) => {
      await tryOut.getByLabel('Action type').fill('pay.invoice');
      await tryOut.getByLabel('Metadata').fill(metadata);
      await tryOut.getByRole('button', { name: 'Try it' }).click();
    };
    await answer('{"amount": 499}');
    await tryOut.getByText('It would run at once').waitFor();
    await answer('{"amount": 501}');
    await tryOut.getByText('A person would have to decide').waitFor();
    await tryOut.getByText('does not hold').waitFor();
    await answer('not json');
    await tryOut.getByText(/is not a JSON object/).waitFor();
    const { body } = await dashboard.admin.get('/api/v1/approvals?action_type=pay.invoice');
    expect(body['approvals']).toEqual([]);
  });

  it('judges a tried action as of the agent that is named, for people and services only', async () => {
    const { admin, dashboard } = given();
    const other = await addAgent(dashboard.admin, 'second-agent');
    await dashboard.admin.policy({
      name: 'Only the first',
      action_type: 'only.first',
      effect: 'conditional',
      conditions: [{ field: 'agent.name', operator: 'eq', value: 'first-agent' }],
    });
    const check = (agentId?: string, by = dashboard.admin) =>
      by.post('/api/v1/policies/check', {
        action_type: 'only.first',
        ...(agentId === undefined ? {} : { agent_id: agentId }),
      });
    const { id: first } = dashboard.stack.credentials.agent;
    expect(await check()).toMatchObject({ status: 200, body: { allowed: false, needs_approval: true } });
    expect(await check(first)).toMatchObject({ status: 200, body: { allowed: true } });
    expect(await check(other.id)).toMatchObject({ status: 200, body: { needs_approval: true } });
    expect(await check('agt_unknown')).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } });
    expect(await check(first, dashboard.agent)).toMatchObject({ status: 200, body: { allowed: true } });
    expect(await check(first, other.api)).toMatchObject({ status: 403, body: { error: 'FORBIDDEN' } });

    await admin.goto('/policies');
    const tryOut = admin.getByRole('region', { name: /Try an action/ });
    await tryOut.getByLabel('Action type').fill('only.first');
    await tryOut.getByLabel('Agent').selectOption({ label: 'first-agent' });
    await tryOut.getByRole('button', { name: 'Try it' }).click();
    await tryOut.getByText('It would run at once').waitFor();
  });

  it('shows what somebody else changed in between, and keeps what was typed', async () => {
    const { admin, dashboard } = given();
    await admin.goto('/policies');
    await admin.getByRole('link', { name: 'Payments' }).click();
    await admin.getByRole('link', { name: 'Change', exact: true }).click();
    await admin.getByLabel('Timeout').fill('2h');
    const id = /pol_[a-z0-9]+/.exec(admin.url())?.[0] ?? '';
    await dashboard.admin.call('PATCH', `/api/v1/policies/${id}`, { body: { denials_required: 2 } });
    await admin.getByRole('button', { name: 'Save as a new version' }).click();
    const conflict = admin.getByRole('alert').filter({ hasText: 'the policy was changed in between' });
    await conflict.getByText('denials_required').waitFor();
    expect(await conflict.locator('del').innerText()).toBe('− 1');
    expect(await conflict.locator('ins').innerText()).toBe('+ 2');
    expect(await admin.getByLabel('Timeout').inputValue()).toBe('2h');
    await conflict.getByRole('button', { name: 'Save mine over version 2' }).click();
    await admin.getByRole('heading', { level: 1, name: 'Payments' }).waitFor();
    const versions = admin.getByRole('region', { name: 'Versions' });
    await versions.getByText('Version 3').click();
    await versions.locator('ins', { hasText: '+ 2h' }).waitFor();
    expect(await dashboard.admin.get(`/api/v1/policies/${id}`)).toMatchObject({
      body: { version: 3, timeout: '2h', denials_required: 1 },
    });
  });

  it('says what a deactivation releases before it does', async () => {
    const { admin, dashboard } = given();
    await dashboard.admin.policy({ name: 'Mails', action_type: 'mail.*', effect: 'require_approval' });
    const id = await dashboard.ask('mail.send');
    await admin.goto('/policies');
    await admin.getByRole('link', { name: 'Mails' }).click();
    await admin.getByRole('button', { name: 'Deactivate' }).click();
    const dialog = admin.getByRole('alertdialog', { name: 'Deactivate Mails?' });
    await dialog.getByText('1 waiting under it are approved').waitFor();
    await admin.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await dashboard.statusOf(id)).toMatchObject({ status: 'pending' });
    await admin.getByRole('button', { name: 'Deactivate' }).click();
    await dialog.getByRole('button', { name: 'Deactivate' }).click();
    expect(await dashboard.ended(id)).toMatchObject({ status: 'approved', resolved_by: null });
    await admin.getByRole('button', { name: 'Activate', exact: true }).click();
    await admin.getByRole('button', { name: 'Deactivate' }).waitFor();
    await admin.getByRole('button', { name: 'Delete' }).click();
    await admin.getByRole('alertdialog').getByText('No request waits under it.').waitFor();
    await admin.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await admin.getByRole('heading', { level: 1, name: 'Policies' }).waitFor();
    await admin.getByRole('link', { name: 'Mails' }).waitFor({ state: 'detached' });
  });
}
