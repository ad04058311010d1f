/** The preferences of a `Prefer` header. Unknown ones are ignored (RFC 7240). */
export interface Preferences {
  readonly grant: boolean;
  /** Seconds, 0 to 60; 0 when not asked for. */
  readonly waitSeconds: number;
}

const none: Preferences = { grant: false, waitSeconds: 0 };
const longestWaitSeconds = 60;
/** The parts between commas outside of quoted strings. A string without an end reaches to the end of the header. */
const parts = /(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^",])+/g;
/** A name with or without a value; its parameters are ignored. */
const preference = /^\s*([\w!#$%&'*+.^`|~-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";]*))\s*)?(?:;.*)?$/;

export function readPrefer(header: string | undefined): Preferences {
  if (header === undefined) return none;
  // The first of repeated preferences counts.
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
