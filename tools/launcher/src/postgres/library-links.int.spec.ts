import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureLibraryLinks } from './library-links.js';

describe('the library links of the PostgreSQL package', () => {
  it('are made once, inside the package only, when npm ran no install scripts', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'al-links-'));
    mkdirSync(join(dir, 'native', 'lib'), { recursive: true });
    writeFileSync(join(dir, 'native', 'lib', 'libpq.so.5.18'), '');
    const links = [
      { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' },
      { source: 'native/lib/libpq.so.5.18', target: '../outside' },
    ];
    writeFileSync(join(dir, 'native', 'pg-symlinks.json'), JSON.stringify(links));
    await ensureLibraryLinks(dir);
    await ensureLibraryLinks(dir);
    expect(readlinkSync(join(dir, 'native', 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
    expect(() => readlinkSync(join(dir, '..', 'outside'))).toThrow('ENOENT');
    rmSync(dir, { recursive: true });
  });
});
