import type { Given } from '../../dashboard-pages.e2e.spec.js';

export function overviewChecks(given: () => Given): void {
  it('answers its four questions by charts with words and tables, in the range of the address', async () => {
    const { admin } = given();
    await admin.goto('/overview?range=24h');
    for (const question of [
      'Do we decide in time?',
      'How do requests end?',
      'Which policies use our attention?',
      'When do they come, and is anyone there?',
    ])
      await admin.getByRole('heading', { level: 2, name: question }).waitFor();
    await admin.getByRole('img', { name: /^Of 2 requests: 1 denied\.$/ }).waitFor();
    await admin.getByRole('img', { name: /^Half are decided within/ }).waitFor();
    await admin.getByRole('img', { name: /^Most requests come on/ }).waitFor();
    const ends = admin.getByRole('region', { name: 'How do requests end?' });
    await ends.getByText('Show as a table').click();
    expect(await ends.getByRole('row').count()).toBeGreaterThanOrEqual(24);
    const figures = admin.locator('dl.kpis');
    expect(await figures.innerText()).toMatch(/Waiting now\s+1\s+0 under 5 minutes, 0 escalated/);
    expect(await figures.innerText()).toMatch(/Denied, 24 hours\s+50\s*%\s+1 of 2/);
    await admin.getByText(/Audit log intact to entry/).waitFor();
    await admin.getByText('2 policies active').waitFor();
    await admin.getByRole('link', { name: '90 days' }).click();
    await admin.getByText('The last 90 days').waitFor();
    expect(new URL(admin.url()).search).toBe('?range=90d');
  });
}
