import { eventually } from '@agentlattice/testkit';
import type { Page } from 'playwright-core';
import type { Given } from '../../dashboard-pages.e2e.spec.js';
import { signIn, tile } from '../../kit/dashboard.js';
import { addPersonWithOwnKey, mailAddress } from '../../kit/people.js';

const themeOf = (page: Page) => page.evaluate('document.documentElement.dataset.theme');

export function accountChecks(given: () => Given): void {
  it('accepts an invitation by its link: a password, and the person is in; the link works once', async () => {
    const { dashboard } = given();
    const invited = await dashboard.admin.post('/api/v1/members', {
      email: 'ines@example.com',
      name: 'Ines Roth',
      role: 'member',
    });
    const { link } = invited.body['invitation'] as { link: string };
    const { pathname, hash } = new URL(link);
    const page = await dashboard.page();
    await page.goto('/accept-invitation');
    await page.getByText('The link is not complete').waitFor();
    await page.goto('about:blank');
    await page.goto(pathname + hash);
    await page.getByLabel('Password').fill('a password of Ines');
    await page.getByRole('button', { name: 'Accept the invitation' }).click();
    await page.getByRole('heading', { level: 1, name: 'Approvals' }).waitFor();
    await page.getByRole('button', { name: /Ines Roth.*account/s }).waitFor();
    expect(page.url()).not.toContain('#');
    await page.goto('about:blank');
    await page.goto(pathname + hash);
    await page.getByLabel('Password').fill('another password');
    await page.getByRole('button', { name: 'Accept the invitation' }).click();
    await page.getByRole('alert').waitFor();
    await page.context().close();
  });

  it('signs in at the provider, and says when the person has no group here', async () => {
    const { dashboard, provider } = given();
    provider.next = {
      sub: 'kim',
      ...{ email: 'kim@example.com', email_verified: true, name: 'Kim Lee', groups: ['deciders'] },
    };
    const kim = await dashboard.page();
    await kim.goto('/policies');
    await kim.getByRole('link', { name: 'Sign in with Example login' }).click();
    await kim.getByRole('heading', { level: 1, name: 'Policies' }).waitFor();
    await kim.getByRole('button', { name: /Kim Lee.*Member/s }).waitFor();
    await kim.context().close();

    provider.next = { sub: 'lee', email: 'lee@example.com', email_verified: true, groups: ['guests'] };
    const lee = await dashboard.page();
    await lee.goto('/sign-in');
    await lee.getByRole('link', { name: 'Sign in with Example login' }).click();
    await lee.getByRole('alert').getByText('This account has no access to a workspace here.').waitFor();
    await lee.getByLabel('E-mail').waitFor();
    await lee.context().close();
  });

  it('switches the workspace, and leads its first request to the two events of the log', async () => {
    const { dashboard } = given();
    await addPersonWithOwnKey(dashboard.admin, dashboard.admin, { name: 'Noor', role: 'viewer' });
    const page = await dashboard.signedIn(await dashboard.withOwnPassword(mailAddress('Noor')));
    await page.getByRole('button', { name: /account/ }).click();
    const choice = page.getByLabel('Workspace', { exact: true });
    const names = await choice.locator('option').allInnerTexts();
    expect(names).toHaveLength(2);
    const [here] = await choice.locator('option:checked').allInnerTexts();
    if (here !== 'Noor') await choice.selectOption('Noor');
    else await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /Admin · Noor/ }).waitFor();

    await page.getByRole('heading', { name: /Your first approval/ }).waitFor();
    await page.getByRole('button', { name: 'Make this policy' }).click();
    await page.getByRole('button', { name: 'Make this policy' }).waitFor({ state: 'hidden' });
    await page.goto('/agents');
    await page.getByRole('button', { name: 'Register an agent' }).click();
    await page.getByLabel('Name').fill('first-bot');
    await page.getByRole('dialog').getByRole('button', { name: 'Register' }).click();
    const agent = dashboard.agent.as(await page.locator('dialog code').innerText());
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('link', { name: 'Approvals', exact: true }).click();
    await page.getByRole('heading', { name: /Your first approval/ }).waitFor();
    await eventually(() => dashboard.ask('deploy.production', { service: 'api' }, agent));
    await tile(page, 'deploy.production').getByRole('button', { name: 'Approve once' }).click();
    await page.getByRole('link', { name: 'See both events in the audit log' }).click();
    await page.getByRole('heading', { level: 1, name: 'Audit log' }).waitFor();
    const entries = page.getByRole('table').getByRole('rowheader');
    await entries.filter({ hasText: 'approval.approved' }).waitFor();
    await entries.filter({ hasText: 'approval.opened' }).waitFor();
    await page.getByRole('link', { name: 'Approvals', exact: true }).click();
    await page.getByText('Nothing is waiting', { exact: true }).first().waitFor();
    expect(await page.getByRole('heading', { name: /Your first approval/ }).count()).toBe(0);

    await page.getByRole('button', { name: /account/ }).click();
    await choice.selectOption(names.find((name) => name !== 'Noor') ?? '');
    await page.getByText('View only.').waitFor();
    await tile(page, 'deploy.web').first().waitFor();
    expect(await tile(page, 'deploy.web').count()).toBe(1);
    await page.context().close();
  });

  it('keeps the theme, lists sessions and ends them; a new password ends the others', async () => {
    const { dashboard } = given();
    const omar = await dashboard.person('Omar', 'member');
    const page = await dashboard.signedIn(omar, '/preferences');
    await page.getByLabel('Theme').selectOption('dark');
    expect(await themeOf(page)).toBe('dark');
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Preferences' }).waitFor();
    expect(await themeOf(page)).toBe('dark');

    const rows = page.getByRole('table', { name: 'Your sessions' }).getByRole('rowheader');
    await page.getByText('(this one)').waitFor();
    const before = await rows.count();
    const second = await dashboard.signedIn(omar);
    await second.getByText('Live', { exact: true }).waitFor();
    await page.reload();
    await rows.nth(before).waitFor();
    const others = page.getByRole('button', { name: /^End session/ });
    for (let left = before; left > 0; left -= 1) {
      await others.first().click();
      await rows.nth(left).waitFor({ state: 'detached' });
    }
    await second.getByLabel('Password').waitFor();

    await signIn(second, omar);
    await second.getByText('Live', { exact: true }).waitFor();
    await page.getByLabel('Current password').fill('not the password');
    await page.getByLabel('New password').fill('another password of my own');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Current password').fill(omar.password);
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('Your other sessions have ended.').waitFor();
    await second.getByLabel('Password').waitFor();
    await page.goto('/approvals');
    await page.getByRole('heading', { level: 1, name: 'Approvals' }).waitFor();
    await Promise.all([page.context().close(), second.context().close()]);
  });
}
