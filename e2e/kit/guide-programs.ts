import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The one program in a language that a guide in docs/clients shows. */
export async function programIn(page: string, language: string): Promise<string> {
  const file = fileURLToPath(new URL(`../../docs/clients/${page}.md`, import.meta.url));
  const text = await readFile(file, 'utf8');
  const found = [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))];
  if (found.length !== 1) throw new Error(`${String(found.length)} programs in ${language} in ${page}.md`);
  return found[0]?.[1] ?? '';
}
