/** A part of a text; a host name in other letters than ASCII has the name that is really looked up. */
export interface TextPart {
  readonly text: string;
  readonly ascii: string | null;
}

const host = '[\\p{L}\\p{N}](?:[\\p{L}\\p{M}\\p{N}-]*\\.)+[\\p{L}\\p{M}\\p{N}-]*[\\p{L}\\p{N}]';
/** After `://` or `@`, or first in a text without spaces: elsewhere a dot between words names no host. */
const hosts = new RegExp(
  `(?<=://(?:[^\\s/?#@]*@)?|@)${host}(?![\\p{L}\\p{M}\\p{N}-])|^${host}(?=(?::\\d+)?(?:/\\S*)?$)`,
  'gu',
);
const isAscii = (text: string) => !/[^\p{ASCII}]/u.test(text);

/** The text in its order, with its internationalised host names apart. */
export function partsWithHosts(text: string): readonly TextPart[] {
  if (isAscii(text)) return [{ text, ascii: null }];
  const parts: TextPart[] = [];
  let from = 0;
  for (const { 0: name, index } of text.matchAll(hosts)) {
    const lookedUp = isAscii(name) ? null : asciiName(name);
    if (lookedUp === null) continue;
    if (index > from) parts.push({ text: text.slice(from, index), ascii: null });
    parts.push({ text: name, ascii: lookedUp });
    from = index + name.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), ascii: null });
  return parts;
}

/** As the browser would look it up; null for what is no host name. */
function asciiName(name: string): string | null {
  try {
    const { hostname } = new URL(`http://${name}/`);
    return hostname.includes('xn--') ? hostname : null;
  } catch {
    return null;
  }
}
