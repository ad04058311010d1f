/** What a `Prefer` header (RFC 7240) asks for; preferences that are not known are ignored, as it says. */
export interface Preferences {
  readonly grant: boolean;
  /** Seconds, 0 to 60; 0 when not asked for. */
  readonly waitSeconds: number;
}

const none: Preferences = { grant: false, waitSeconds: 0 };

export function readPrefer(header: string | undefined): Preferences {
  if (header === undefined) return none;
  let { grant, waitSeconds } = none;
  for (const part of header.split(',')) {
    const [preference = ''] = part.split(';');
    const [name = '', value = ''] = preference.split('=').map((text) => text.trim());
    if (name.toLowerCase() === 'grant') grant = true;
    if (name.toLowerCase() === 'wait' && /^"?\d{1,5}"?$/.test(value))
      waitSeconds = Math.min(60, Number(value.replaceAll('"', '')));
  }
  return { grant, waitSeconds };
}
