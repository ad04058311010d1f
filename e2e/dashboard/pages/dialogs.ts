import type { Page } from 'playwright-core';
import type { Given } from '../../dashboard-pages.e2e.spec.js';
import { axe, findingsInDialog } from '../accessibility.js';
import { open } from './every-page.js';

/** Where it is, what opens it, and what may have to be there first. */
type DialogRow = readonly [name: string, page: string, button: string | RegExp];

/** Every dialog of the administration; the first of each kind stands for all. */
const dialogs: readonly DialogRow[] = [
  ['register', 'Agents', 'Register an agent'],
  ['suspend', 'Agents', 'Suspend idle-agent'],
  ['resume', 'Agents', 'Resume idle-agent'],
  ['make-key', 'Keys', 'Make a key'],
  ['rotate-key', 'Keys', /^Rotate /],
  ['revoke-key', 'Keys', /^Revoke /],
  ['add-member', 'Members', 'Add a person'],
  ['change-member', 'Members', 'Change Vera'],
  ['remove-member', 'Members', 'Remove Vera'],
  ['new-channel', 'Notifications', 'New channel'],
  ['change-channel', 'Notifications', /^Change /],
  ['test-channel', 'Notifications', /^Send a test /],
  ['rotate-secret', 'Notifications', /^Rotate /],
  ['delete-channel', 'Notifications', /^Delete /],
  ['delivery', 'Notifications', 'A person is asked'],
  ['deactivate-policy', 'Policy', 'Deactivate'],
  ['delete-policy', 'Policy', 'Delete'],
];
/** Dialogs that show a secret once, after what leads to them. */
const afterSending: Readonly<Record<string, (dialog: Page) => Promise<void>>> = {
  register: async (page) => {
    await page.getByLabel('Name').fill('idle-agent');
    await page.getByRole('dialog').getByRole('button', { name: 'Register' }).click();
    await page.getByRole('dialog', { name: 'idle-agent is registered' }).waitFor();
  },
  suspend: async (page) => {
    await page.getByLabel('Reason').fill('It sleeps');
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  },
};

export function dialogChecks(given: () => Given): void {
  it('has no finding of axe in any dialog of the administration', async () => {
    const { admin } = given();
    const found: Record<string, readonly unknown[]> = {};
    let at = '';
    const look = async (name: string) => {
      const violations = await findingsInDialog(admin, name);
      if (violations.length > 0) found[name] = violations;
    };
    for (const [name, page, button] of dialogs) {
      if (page !== at) await (page === 'Policy' ? openPolicy(admin) : open(admin, page));
      if (page !== at) await admin.evaluate(axe);
      at = page;
      await admin.locator('main').getByRole('button', { name: button }).first().click();
      const dialog = admin.locator('dialog[open]');
      await dialog.locator('h2').waitFor();
      await dialog.locator('[aria-busy]').waitFor({ state: 'detached' });
      await look(name);
      const send = afterSending[name];
      await send?.(admin);
      if (send !== undefined && (await dialog.count()) > 0) await look(`${name}-done`);
      const close = dialog.getByRole('button', { name: /^(Done|Cancel|Close)$/ });
      if ((await dialog.count()) > 0) await close.click();
      await dialog.waitFor({ state: 'detached' });
    }
    expect(found).toEqual({});
  }, 90_000);
}

async function openPolicy(admin: Page): Promise<void> {
  await open(admin, 'Policies');
  await admin.locator('main').getByRole('link', { name: 'Deploys', exact: true }).click();
  await admin.getByRole('heading', { level: 1, name: 'Deploys' }).waitFor();
}
