import { type Dashboard, tile } from '../kit/dashboard.js';

/** Words that have no end: an agent chooses the name of its action and those of the members. */
export function longWordChecks(given: () => { readonly dashboard: Dashboard }): void {
  it('no word of an agent, however long, makes a page wider than a small window', async () => {
    const { dashboard } = given();
    const actionType = `deploy.${'a'.repeat(240)}`;
    const id = await dashboard.ask(actionType, {
      ['key'.repeat(600)]: 'v',
      zero_width: '\u200b'.repeat(300),
    });
    const page = await dashboard.signedIn(dashboard.administrator, '/approvals', {
      viewport: { width: 320, height: 700 },
    });
    const width = () => page.evaluate('document.documentElement.scrollWidth');
    await tile(page, actionType).waitFor();
    expect(await width()).toBe(320);
    await page.goto(`/approvals/${id}`);
    await page.getByRole('heading', { level: 1, name: actionType }).waitFor();
    expect(await width()).toBe(320);
    await page.context().close();
  });
}
