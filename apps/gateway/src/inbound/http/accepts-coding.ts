/** Whether a client takes a content coding (RFC 9110 §12.5.3); `q=0` refuses it. */
export function acceptsCoding(acceptEncoding: unknown, coding: 'gzip' | 'br'): boolean {
  if (typeof acceptEncoding !== 'string') return false;
  return acceptEncoding
    .toLowerCase()
    .split(',')
    .some((part) => {
      const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
      if (name !== coding && !(name === '*' && coding === 'gzip')) return false;
      return !parameters.some((parameter) => /^q\s*=\s*0(?:\.0*)?$/.test(parameter));
    });
}
