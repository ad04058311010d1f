/** What a `Prefer` header (RFC 7240) asks for; preferences that are not known are ignored, as it says. */
export interface Preferences {
  readonly grant: boolean;
  /** Seconds, 0 to 60; 0 when not asked for. */
  readonly waitSeconds: number;
}

const none: Preferences = { grant: false, waitSeconds: 0 };
const longestWaitSeconds = 60;
/** What commas separate, outside of quoted strings. A string that does not end reaches to the end of the header. */
const parts = /(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^",])+/g;
/** A name, with a value or without, and parameters that say nothing to us. */
const preference = /^\s*([\w!#$%&'*+.^`|~-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";]*))\s*)?(?:;.*)?$/;

export function readPrefer(header: string | undefined): Preferences {
  if (header === undefined) return none;
  // Of one that is repeated the first counts.
  const values = new Map<string, string>();
  for (const part of header.match(parts) ?? []) {
    const [, name = '', quoted, token = ''] = preference.exec(part) ?? [];
    const known = name.toLowerCase();
    if (known !== '' && !values.has(known)) values.set(known, quoted?.replaceAll(/\\(.)/g, '$1') ?? token);
  }
  const wait = values.get('wait') ?? '';
  return {
    grant: values.has('grant'),
    waitSeconds: /^\d+$/.test(wait) ? Math.min(longestWaitSeconds, Number(wait)) : 0,
  };
}
