import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type Dashboard, screenshots, tile } from '../kit/dashboard.js';

export const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const views = [
  { colorScheme: 'light', width: 1280, height: 900 },
  { colorScheme: 'dark', width: 375, height: 800 },
  { colorScheme: 'dark', width: 1280, height: 900 },
  { colorScheme: 'light', width: 375, height: 800 },
] as const;
/** All of them, with pictures; else one of the first two for each page, since a view takes axe two seconds of a processor. */
const everyView = process.env['EVERY_VIEW'] === '1';

type View = (typeof views)[number];
/** Pages take turns: light and wide, dark and narrow. */
const oneViewOf = (name: string): View => views[name.length % 2 === 0 ? 0 : 1];

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly string[];
}

const allRules = "{ resultTypes: ['violations'] }";
const summary = `violations.map(({ id, impact, nodes }) =>
  ({ id, impact, nodes: nodes.map(({ html }) => html.slice(0, 200)) }))`;

/** What axe finds in views of the page as it is now. */
export async function findings(
  page: Page,
  name: string,
  checked: readonly View[] = everyView ? views : [oneViewOf(name)],
): Promise<Record<string, readonly Finding[]>> {
  const found: Record<string, readonly Finding[]> = {};
  for (const { colorScheme, width, height } of checked) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height });
    const state = `${name}-${colorScheme}-${String(width)}`;
    if (everyView) await page.screenshot({ path: join(screenshots, `${state}.png`) });
    const violations = await page.evaluate<Finding[]>(
      `axe.run(document, ${allRules}).then(({ violations }) => ${summary})`,
    );
    if (violations.length > 0) found[state] = violations;
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  return found;
}

/** Pages and dialogs without findings, and without sideways scrolling on the narrowest screen. */
export function accessibilityChecks(given: () => { dashboard: Dashboard; admin: Page }): void {
  describe('for everyone', () => {
    let page: Page;
    beforeAll(async () => {
      const { dashboard, admin } = given();
      page = await dashboard.page({ storageState: await dashboard.stateOf(admin) });
    });
    beforeEach(async () => {
      const { dashboard } = given();
      await dashboard.ask('two.people', {
        amount: 48_200,
        to: 'N\u043Erthwind',
        sql: 'SELECT 1;\n'.repeat(30),
      });
      await dashboard.ask('short.time', { service: 'checkout' });
      await dashboard.ask('deploy.production', { service: 'checkout', api_token: 'secret' });
    });
    const open = async (path: string) => {
      await page.goto(path);
      await page.evaluate(axe);
    };

    it('has a queue without findings, with each dialog open', async () => {
      await open('/approvals');
      await tile(page, 'deploy.production').waitFor();
      // Every view of the page that people use most.
      expect(await findings(page, 'queue', views)).toEqual({});
      await tile(page, 'deploy.production').getByRole('button', { name: 'Deny' }).click();
      expect(await findings(page, 'deny')).toEqual({});
      await page.keyboard.press('Escape');
      await tile(page, 'deploy.production').getByRole('button', { name: 'Approve forever' }).click();
      await page.getByRole('alertdialog').getByText('From then on').waitFor();
      expect(await findings(page, 'forever')).toEqual({});
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      expect(await findings(page, 'keys')).toEqual({});
    });

    it('has a page of a request without findings', async () => {
      await open('/approvals');
      await tile(page, 'two.people').getByRole('link', { name: 'two.people' }).click();
      await page.getByRole('heading', { name: 'History' }).waitFor();
      await page.getByText('raw JSON').click();
      expect(await findings(page, 'request')).toEqual({});
    });

    it.each([
      ['decided', '/approvals?tab=decided', 'Approvals'],
      ['preferences', '/preferences', 'Preferences'],
      ['more', '/more', 'More'],
    ])('has the page %s without findings', async (name, path, heading) => {
      await open(path);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      expect(await findings(page, name)).toEqual({});
    });

    it('has a sign-in without findings', async () => {
      const { dashboard } = given();
      const stranger = await dashboard.page();
      await stranger.goto('/sign-in');
      await stranger.getByLabel('E-mail').waitFor();
      await stranger.evaluate(axe);
      expect(await findings(stranger, 'sign-in')).toEqual({});
      await stranger.context().close();
    });

    it.each(['/approvals', '/approvals?tab=decided', '/preferences'])(
      'fits into 320 px: %s',
      async (path) => {
        await page.setViewportSize({ width: 320, height: 640 });
        await page.goto(path);
        await page.locator('main :is(article, .card)').first().waitFor();
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
      },
    );
  });
}

/** What axe finds in the open dialog as it is now. */
export async function findingsInDialog(page: Page, name: string): Promise<readonly Finding[]> {
  if (everyView) await page.screenshot({ path: join(screenshots, `dialog-${name}.png`) });
  return page.evaluate<Finding[]>(
    `axe.run('dialog[open]', ${allRules}).then(({ violations }) => ${summary})`,
  );
}
