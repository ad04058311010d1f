import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { z } from 'zod';
import { runCommand } from '../process/run-command.js';

const listing = z.object({ files: z.array(z.object({ filename: z.string(), url: z.string() })) });

/** A Python package index, as pip on this machine is configured to use it. */
export interface PythonIndex {
  /** Fetches a named file of a project. @throws Error when the index does not answer or has no such file */
  download(project: string, filename: string): Promise<Uint8Array>;
}

/** The index that pip would use: PIP_INDEX_URL, else pip's configuration, else PyPI. */
export async function configuredPythonIndex(): Promise<PythonIndex> {
  trustCertificatesOf(process.env['PIP_CERT'] ?? (await pipSetting('global.cert')));
  const url = process.env['PIP_INDEX_URL'] ?? (await pipSetting('global.index-url'));
  return pythonIndex(url ?? 'https://pypi.org/simple');
}

/** An index by its URL, which may carry a user and a password. */
export function pythonIndex(indexUrl: string): PythonIndex {
  const base = new URL(indexUrl.endsWith('/') ? indexUrl : `${indexUrl}/`);
  const authorization =
    base.username === ''
      ? undefined
      : `Basic ${Buffer.from(`${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`).toString('base64')}`;
  base.username = base.password = '';
  const get = async (url: URL, accept: string) => {
    const headers = {
      accept,
      ...(authorization !== undefined && url.host === base.host ? { authorization } : {}),
    };
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(120_000) });
    if (!answer.ok) throw new Error(`${url.host} answered ${String(answer.status)}`);
    return answer;
  };
  return {
    async download(project, filename) {
      const page = new URL(`${project}/`, base);
      const answer = await get(page, 'application/vnd.pypi.simple.v1+json, text/html;q=0.1');
      const files = filesOf(await answer.text(), answer.headers.get('content-type') ?? '');
      const file = files.find((f) => f.filename === filename);
      if (file === undefined) throw new Error(`${page.host} does not offer ${filename}`);
      return new Uint8Array(await (await get(new URL(file.url, answer.url), '*/*')).arrayBuffer());
    },
  };
}

/** Both forms of the simple index: JSON (PEP 691) and, from older mirrors, HTML (PEP 503). */
function filesOf(text: string, contentType: string): { filename: string; url: string }[] {
  if (contentType.includes('json')) return listing.parse(JSON.parse(text)).files;
  return [...text.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => {
    const url = href.replaceAll('&amp;', '&');
    return { url, filename: decodeURIComponent(url.split('#')[0]?.split('/').at(-1) ?? '') };
  });
}

async function pipSetting(name: string): Promise<string | undefined> {
  for (const python of ['python3', 'python']) {
    const { code, stdout } = await runCommand(python, ['-m', 'pip', 'config', 'get', name], {
      timeoutMs: 20_000,
    });
    if (code === 0 && stdout.trim() !== '') return stdout.trim();
  }
  return undefined;
}

/** A certificate authority of pip's configuration, where this version of Node can use it. */
function trustCertificatesOf(file: string | undefined): void {
  if (file === undefined || !('setDefaultCACertificates' in tls)) return;
  try {
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(file, 'utf8')]);
  } catch {
    // Then the download fails, and pip is tried next.
  }
}
