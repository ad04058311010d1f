import type { Page } from 'playwright-core';
import type { Given } from '../../dashboard-pages.e2e.spec.js';
import { axe, findings } from '../accessibility.js';

/** Its name, its path, its heading, and something that is there once it is loaded. */
type PageRow = readonly [name: string, path: string, heading: string, content: string];

const pages: readonly PageRow[] = [
  ['overview', '/overview', 'Overview', 'When do they come, and is anyone there?'],
  ['audit', '/audit', 'Audit log', 'Download the entries'],
  ['audit-entry', '/audit/2', 'Entry 2', 'Hash links'],
  ['policies', '/policies', 'Policies', 'Deploys'],
  ['new-policy', '/policies/new', 'New policy', 'What it governs'],
  ['agents', '/agents', 'Agents', 'first-agent'],
  ['keys', '/keys', 'Keys', 'Works'],
  ['members', '/members', 'Members', 'Vera'],
  ['notifications', '/notifications', 'Notifications', 'Ops hook'],
];

/** What a viewer must not find: everything that changes something. */
const changing =
  /Register|Suspend|Resume|Make|Rotate|Revoke|New |Add |Change|Remove|Delete|Activate|Deactivate|Create|Save|Send|Turn|Approve|Deny/;

/** Goes there within the app, as people do; a new load of everything for each page would make the tests slow. */
export async function open(page: Page, name: string): Promise<void> {
  const row = pages.find(([, , heading]) => heading === name);
  if (row === undefined) throw new Error(`there is no page ${name}`);
  return openRow(page, row);
}

async function openRow(page: Page, [, path, heading, content]: PageRow): Promise<void> {
  const link = page
    .getByRole('navigation', { name: 'Main' })
    .getByRole('link', { name: heading, exact: true });
  if ((await link.count()) === 1) await link.click();
  else await page.goto(path);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await page.locator('main').getByText(content).first().waitFor();
}

/** The names of the buttons and of the links that look like buttons. */
const actionsOf = (page: Page) => page.locator('main button, main a.btn').allInnerTexts();

export function everyPageChecks(given: () => Given): void {
  it('shows everything to viewers, and no button that changes something', async () => {
    const { viewer } = given();
    for (const one of pages.filter(([name]) => !['new-policy', 'keys'].includes(name))) {
      await openRow(viewer, one);
      expect({
        page: one[0],
        actions: (await actionsOf(viewer)).filter((name) => changing.test(name)),
      }).toEqual({
        page: one[0],
        actions: [],
      });
    }
    await viewer.goto('/keys');
    await viewer.getByText('Only admins see keys').waitFor();
    await viewer.goto('/policies/new');
    await viewer.getByText('Only admins see the editor of policies').waitFor();
    expect(await viewer.locator('main form').count()).toBe(0);
  });

  it.each(pages)(
    'has no finding of axe, in both themes and at two widths, and fits into 320 px: %s',
    async (...one) => {
      const { admin } = given();
      await openRow(admin, one);
      await admin.evaluate(axe);
      expect(await findings(admin, one[0])).toEqual({});
      await fits(admin);
    },
  );
}

async function fits(page: Page): Promise<void> {
  await page.setViewportSize({ width: 320, height: 640 });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  await page.setViewportSize({ width: 1280, height: 900 });
}
