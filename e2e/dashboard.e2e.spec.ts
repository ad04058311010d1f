import { eventually } from '@agentlattice/testkit';
import type { Page } from 'playwright-core';
import { accessibilityChecks } from './dashboard/accessibility.js';
import { decisionChecks } from './dashboard/decisions.js';
import { longListChecks } from './dashboard/long-list.js';
import { longWordChecks } from './dashboard/long-words.js';
import { servingChecks } from './dashboard/serving.js';
import { sessionChecks } from './dashboard/sessions.js';
import { Dashboard, signIn, startWithinMs, tile } from './kit/dashboard.js';
import { addAgent } from './kit/people.js';

describe('the dashboard', () => {
  let dashboard: Dashboard;
  let admin: Page;
  let member: Page;

  beforeAll(async () => {
    dashboard = await Dashboard.start();
    const always = { effect: 'require_approval' };
    await Promise.all([
      dashboard.admin.policy({ name: 'Deploys', action_type: 'deploy.*', ...always }),
      dashboard.admin.policy({
        name: 'Two people',
        action_type: 'two.people',
        ...always,
        approvals_required: 2,
      }),
      dashboard.admin.policy({ name: 'Short', action_type: 'short.time', ...always, timeout: '8s' }),
      dashboard.admin.policy({
        name: 'Finance alone',
        action_type: 'pay.now',
        ...always,
        approver_groups: [{ group: 'Finance', count: 1 }],
      }),
      dashboard.admin.policy({
        name: 'Small changes',
        action_type: 'change.apply',
        effect: 'conditional',
        conditions: [{ field: 'change.count', operator: 'lte', value: 10 }],
      }),
    ]);
    admin = await dashboard.signedIn(dashboard.administrator);
    member = await dashboard.signedIn(await dashboard.person('Mia', 'member'));
  }, startWithinMs);
  afterAll(() => dashboard.stop());
  afterEach(async () => {
    // The next test begins with an empty queue.
    await dashboard.endAll();
    expect(dashboard.faults).toEqual([]);
  });

  it('refuses a wrong password in plain words, and after sign-in shows the page that was asked for', async () => {
    const id = await dashboard.ask('deploy.link');
    const page = await dashboard.page();
    await page.goto(`/approvals/${id}`);
    await page.getByLabel('E-mail').fill(dashboard.administrator.email);
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').getByText('E-mail or password is not correct.').waitFor();
    await signIn(page, dashboard.administrator);
    await page.getByRole('heading', { level: 1, name: 'deploy.link' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/approvals/${id}`);
    await page.getByRole('button', { name: /account/ }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('E-mail').waitFor();
    await page.goto('/approvals');
    await page.getByLabel('Password').waitFor();
    await page.context().close();
  });

  it('approves once with one press: the agent goes on, and the tile becomes a receipt', async () => {
    const id = await dashboard.ask('deploy.once', { service: 'checkout' });
    await tile(admin, 'deploy.once').getByRole('button', { name: 'Approve once' }).click();
    await admin.getByText('You approved deploy.once once.').waitFor();
    expect(await dashboard.ended(id)).toMatchObject({ status: 'approved', scope: 'once' });
    const { history } = (await dashboard.statusOf(id)) as { history: { operator: { via: string } | null }[] };
    expect(history.map(({ operator }) => operator?.via)).toContain('dashboard');
  });

  it('denies with a reason by keyboard alone; Escape and Cancel change nothing and give the focus back', async () => {
    const id = await dashboard.ask('deploy.deny');
    await tile(admin, 'deploy.deny').waitFor();
    await admin.getByRole('heading', { level: 1 }).click();
    await admin.keyboard.press('j');
    expect(await admin.evaluate('document.activeElement.textContent')).toBe('deploy.deny');
    await admin.keyboard.press('a');
    expect(await admin.evaluate('document.activeElement.textContent')).toBe('Approve once');
    await admin.keyboard.press('d');
    const dialog = admin.getByRole('alertdialog', { name: 'Deny deploy.deny?' });
    await dialog.waitFor();
    await admin.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await admin.evaluate('document.activeElement.textContent')).toBe('Deny');
    await admin.keyboard.press('Enter');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(await dashboard.statusOf(id)).toMatchObject({ status: 'pending', votes: [] });
    await admin.keyboard.press('d');
    await admin.keyboard.type('Not in the change window');
    for (let presses = 0; presses < 5; presses += 1) await admin.keyboard.press('Tab');
    expect(await admin.evaluate('document.activeElement.textContent')).toBe('Deny');
    await admin.keyboard.press('Enter');
    await admin.getByText('You denied deploy.deny.').waitFor();
    expect(await dashboard.ended(id)).toMatchObject({ status: 'denied', reason: 'Not in the change window' });
  });

  it('lets two operators see each other at once, and says who was faster', async () => {
    const seen = await dashboard.ask('deploy.both');
    await Promise.all([tile(admin, 'deploy.both').waitFor(), tile(member, 'deploy.both').waitFor()]);
    await tile(member, 'deploy.both').getByRole('button', { name: 'Approve once' }).click();
    await admin.getByText('Mia approved deploy.both.').waitFor();
    expect(await dashboard.ended(seen)).toMatchObject({ status: 'approved' });

    // The administrator's page hears nothing of the other decision.
    const raced = await dashboard.ask('deploy.race');
    await tile(admin, 'deploy.race').waitFor();
    await admin.route('**/api/v1/approvals?**', () => undefined);
    await tile(member, 'deploy.race').getByRole('button', { name: 'Deny' }).click();
    await member.getByRole('alertdialog').getByRole('button', { name: 'Deny' }).click();
    await dashboard.ended(raced);
    await tile(admin, 'deploy.race').getByRole('button', { name: 'Approve once' }).click();
    await admin.getByText(/Mia denied this .*before you\. Nothing you did was recorded\./).waitFor();
    await admin.unroute('**/api/v1/approvals?**');
    expect(await dashboard.statusOf(raced)).toMatchObject({ status: 'denied', resolved_by_name: 'Mia' });
  });

  it('says that a decision came too late', async () => {
    const id = await dashboard.ask('short.time');
    await tile(admin, 'short.time').waitFor();
    await admin.route('**/api/v1/approvals?**', () => undefined);
    await dashboard.ended(id);
    await tile(admin, 'short.time').getByText('Time is up, checking…').first().waitFor();
    await tile(admin, 'short.time').getByRole('button', { name: 'Approve once' }).click();
    await admin.getByText(/Too late: time ran out at \d\d:\d\d:\d\d\./).waitFor();
    await admin.unroute('**/api/v1/approvals?**');
    expect(await dashboard.statusOf(id)).toMatchObject({ status: 'timed_out' });
  });

  it('records a vote below the quorum, and shows the votes to the next person', async () => {
    const id = await dashboard.ask('two.people');
    await tile(member, 'two.people').getByRole('button', { name: 'Approve once' }).click();
    await member.getByText(/Your approval is recorded, 1 of 2\./).waitFor();
    await tile(admin, 'two.people').getByText('1 of 2 approvals').waitFor();
    await tile(admin, 'two.people')
      .getByText(/Mia approved/)
      .waitFor();
    await tile(admin, 'two.people').getByRole('link', { name: 'two.people' }).click();
    await admin.getByText(/Your approval is the second: the agent goes on at once/).waitFor();
    await admin.getByLabel('Reason').fill('Both of us looked');
    await admin.getByRole('button', { name: 'Approve once' }).click();
    await admin.getByText('You approved two.people once.').waitFor();
    expect(await dashboard.ended(id)).toMatchObject({ status: 'approved', reason: 'Both of us looked' });
    await admin.getByRole('link', { name: 'Approvals', exact: true }).click();
  });

  it('shows who may decide instead of buttons, and Approve forever to administrators alone', async () => {
    await dashboard.ask('pay.now');
    await dashboard.ask('deploy.roles');
    await tile(admin, 'deploy.roles').getByRole('button', { name: 'Approve forever' }).waitFor();
    await tile(member, 'deploy.roles').getByRole('button', { name: 'Approve once' }).waitFor();
    expect(await member.getByRole('button', { name: 'Approve forever' }).count()).toBe(0);
    expect(await tile(member, 'pay.now').count()).toBe(0);
    await member.getByText('1 other request that you cannot decide is hidden.').waitFor();
    await member.getByRole('link', { name: 'Show all' }).click();
    await tile(member, 'pay.now').getByText('Only Finance can decide.').waitFor();
    expect(new URL(member.url()).search).toBe('?show=all');
    expect(await tile(member, 'pay.now').getByRole('button').count()).toBe(0);

    const viewer = await dashboard.signedIn(await dashboard.person('Sam', 'viewer'));
    await tile(viewer, 'deploy.roles').waitFor();
    await viewer.getByText('View only.').waitFor();
    const deciding = viewer.getByRole('button', { name: /Approve|Deny/ });
    expect(await deciding.count()).toBe(0);
    await tile(viewer, 'deploy.roles').getByRole('link', { name: 'deploy.roles' }).click();
    await viewer.getByRole('heading', { name: 'History' }).waitFor();
    expect(await deciding.count()).toBe(0);
    await viewer.context().close();
  });

  it('shows what an agent sent as text, and what is invisible in it as code points', async () => {
    const evil = await addAgent(dashboard.admin, 'evil-agent');
    await dashboard.ask(
      'deploy.hostile',
      {
        html: '<img src="x" onerror="document.title=1"><script>document.title=2</script>',
        link: 'javascript:alert(1) https://example.com',
        turned: 'abc\u202Efdp.exe',
        hidden: 'pay\u200Bpal',
        padded: `safe${' '.repeat(60)}unsafe`,
        beneficiary: 'N\u043Erthwind',
        api_token: 'al_agent_0123456789abcdef0123456789abcdef',
        '<b>key</b>': 'x',
      },
      evil.api,
    );
    const box = tile(admin, 'deploy.hostile').getByRole('group', { name: 'Sent by the agent' });
    await box.getByText('1 more field').or(box.getByText('2 more fields')).click();
    const text = await box.innerText();
    for (const shown of [
      '⟦U+202E⟧',
      '⟦U+200B⟧',
      '· 60 spaces ·',
      'U+043E',
      'hidden',
      '<img src="x"',
      '<b>key</b>',
    ])
      expect(text).toContain(shown);
    expect(text).not.toContain('al_agent_');
    expect(await box.locator('img, script, b, a').count()).toBe(0);
    expect(await box.locator('bdi[dir=ltr]').count()).toBeGreaterThan(7);
    expect(await admin.title()).toMatch(/^1 waiting · AgentLattice$/);
  });

  it('compares a request with the last approved one, and says which condition did not hold', async () => {
    const first = await dashboard.ask('change.apply', {
      change: { count: 12 },
      version: '2.0.9',
      secret_key: 'one',
    });
    await dashboard.admin.post(`/api/v1/approvals/${first}/approve`, {});
    await dashboard.ask('change.apply', { change: { count: 14 }, version: '2.1.0', secret_key: 'two' });
    await tile(admin, 'change.apply').getByText('was 2.0.9').waitFor();
    await tile(admin, 'change.apply').getByText('14, runs alone up to 10').waitFor();
    await tile(admin, 'change.apply').getByRole('link', { name: 'change.apply' }).click();
    const row = (name: string) => admin.getByRole('row', { name: new RegExp(name) });
    expect(await row('version').innerText()).toMatch(/2\.1\.0\s+2\.0\.9/);
    expect(await row('secret_key').innerText()).toContain('changed since last approved');
    await admin.getByText('did not hold: it is 14.').waitFor();
    await admin.getByRole('link', { name: 'In the audit log', exact: true }).waitFor();
    await admin.keyboard.press('Escape');
    await tile(admin, 'change.apply').waitFor();
  });

  it('finds requests by the filter in the address', async () => {
    await dashboard.ask('deploy.apples');
    await dashboard.ask('deploy.pears');
    await tile(admin, 'deploy.pears').waitFor();
    await admin.keyboard.press('/');
    // Slower than the address follows: nothing that is typed is lost.
    await admin.keyboard.type('apples', { delay: 120 });
    await tile(admin, 'deploy.pears').waitFor({ state: 'hidden' });
    await tile(admin, 'deploy.apples').waitFor();
    expect(new URL(admin.url()).search).toBe('?q=apples');
    await admin.getByRole('searchbox', { name: 'Filter requests' }).fill('nothing like it');
    await admin.getByText('No waiting request matches').waitFor();
    await admin.getByRole('link', { name: 'Clear filters' }).first().click();
    await tile(admin, 'deploy.pears').waitFor();
  });

  it('says since when it is not live, and catches up afterwards', async () => {
    const page = await dashboard.page({ storageState: await dashboard.stateOf(admin) });
    // The page says that it is live until it knows better: the stream has to be there before it is cut.
    const streaming = page.waitForResponse('**/api/v1/events');
    await page.goto('/approvals');
    await streaming;
    await page.getByText('Live', { exact: true }).waitFor();
    await page.context().setOffline(true);
    await page.getByText(/Not live since \d\d:\d\d:\d\d\./).waitFor();
    await dashboard.ask('deploy.missed');
    expect(await tile(page, 'deploy.missed').count()).toBe(0);
    await page.context().setOffline(false);
    await tile(page, 'deploy.missed').waitFor();
    await page.getByText(/Not live since/).waitFor({ state: 'hidden' });
    await page.context().close();
  });

  it('keeps the list still while the pointer is in it', async () => {
    const slow = await dashboard.ask('deploy.slow');
    await tile(admin, 'deploy.slow').waitFor();
    // Receipts of requests that ended before close by themselves, and the list moves up.
    await eventually(async () => (await admin.locator('.receipt').count()) === 0, { within: 20_000 });
    const before = await tile(admin, 'deploy.slow').boundingBox();
    const move = async (x: number) => {
      const box = await tile(admin, 'deploy.slow').boundingBox();
      if (box !== null) await admin.mouse.move(box.x + x, box.y + 30);
    };
    await move(300);
    await dashboard.ask('short.time');
    await eventually(async () => {
      await move(300 + Math.floor(Date.now() % 7));
      return admin.getByText('1 new request, one under 5 minutes').isVisible();
    });
    expect((await tile(admin, 'deploy.slow').boundingBox())?.y).toBeGreaterThanOrEqual(before?.y ?? 0);
    expect(await tile(admin, 'short.time').count()).toBe(0);
    await admin.getByRole('button', { name: 'Show', exact: true }).click();
    await tile(admin, 'short.time').waitFor();
    expect(await dashboard.statusOf(slow)).toMatchObject({ status: 'pending' });
  });

  it('warns before the session ends, and extends it with one press', async () => {
    const page = await dashboard.page({ storageState: await dashboard.stateOf(admin) });
    await page.route('**/api/v1/session', async (route) => {
      const answer = await route.fetch();
      const session = (await answer.json()) as { now: string };
      const soon = new Date(Date.parse(session.now) + 90_000).toISOString();
      await route.fulfill({ response: answer, json: { ...session, expires_at: soon } });
    });
    await page.goto('/approvals');
    await page.getByRole('alert').getByText('Your session ends soon.').waitFor();
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    await page.getByText('Your session ends soon.').waitFor({ state: 'hidden' });
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.context().close();
  });

  decisionChecks(() => ({ dashboard, admin, member }));
  servingChecks(() => dashboard.stack.baseUrl);
  sessionChecks(() => ({ dashboard }));
  longWordChecks(() => ({ dashboard }));
  longListChecks(() => ({ dashboard, admin }));
  accessibilityChecks(() => ({ dashboard, admin }));
});
