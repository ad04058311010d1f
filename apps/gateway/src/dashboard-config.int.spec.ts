import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGatewayConfig } from './config.js';

describe('the folder of the dashboard', () => {
  const folder = mkdtempSync(join(tmpdir(), 'al-dashboard-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('without pages ends the start with one sentence that says how to build them', () => {
    expect(() => readGatewayConfig({ DASHBOARD_DIR: folder })).toThrow(
      /DASHBOARD_DIR names a folder without the pages of the dashboard; build them with npm run build/,
    );
  });

  it('is taken when it has them, and may be left out', () => {
    writeFileSync(join(folder, 'index.html'), '<!doctype html>');
    expect(readGatewayConfig({ DASHBOARD_DIR: folder }).dashboardDir).toBe(folder);
    expect(readGatewayConfig({}).dashboardDir).toBeUndefined();
  });
});
