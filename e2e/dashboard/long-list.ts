import { eventually } from '@agentlattice/testkit';
import type { Page } from 'playwright-core';
import type { Dashboard } from '../kit/dashboard.js';

const count = 110;

/** More requests than are kept in the page. */
export function longListChecks(given: () => { dashboard: Dashboard; admin: Page }): void {
  it('keeps few tiles of a long list in the page, and tells the place of each', async () => {
    const { dashboard, admin } = given();
    await dashboard.admin.policy({ name: 'Many', action_type: 'many.*', effect: 'require_approval' });
    // A machine that is busy with other tests refuses some submissions for a moment; they are asked for again.
    const ask = async (from: number) => {
      await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          eventually(() => dashboard.ask(`many.n${String(from + i)}`), { within: 30_000, every: 500 }),
        ),
      );
    };
    await ask(0);
    await ask(10);
    // A list that is not long is in the page as a whole, though not at its first moment.
    const page = await dashboard.page({ storageState: await dashboard.stateOf(admin) });
    await page.goto('/approvals');
    await eventually(async () => (await page.getByRole('article').count()) === 20);
    expect(await page.getByRole('feed').count()).toBe(0);
    await page.context().close();
    for (let from = 20; from < count; from += 10) await ask(from);
    const feed = admin.getByRole('feed', { name: 'Waiting requests' });
    await eventually(
      async () => {
        await admin.evaluate('window.scrollTo(0, document.body.scrollHeight)');
        return (await feed.locator(`article[aria-posinset="${String(count)}"]`).count()) === 1;
      },
      { within: 30_000, every: 100 },
    );
    const tiles = feed.getByRole('article');
    expect(await tiles.count()).toBeLessThanOrEqual(60);
    // Receipts of requests that just ended stand in the list for some seconds.
    await eventually(async () => (await tiles.last().getAttribute('aria-setsize')) === String(count), {
      within: 30_000,
    });
    await admin.evaluate('window.scrollTo(0, 0)');
    await feed.locator('article[aria-posinset="1"]').waitFor();
    await admin.keyboard.press('j');
    expect(await admin.evaluate("document.activeElement.closest('article').ariaPosInSet")).toBe('1');
  });
}
