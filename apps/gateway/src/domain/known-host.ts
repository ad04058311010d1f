/**
 * Whether a client may name the gateway so in `Host`. A page of another site can make its own name lead to this gateway (DNS
 * rebinding), but it cannot make its requests carry a name that is ours, an address, or this machine's own name.
 * @param known further names, in lower case
 */
export function isKnownHost(
  host: string | undefined,
  publicUrl: string | undefined,
  known: readonly string[],
): boolean {
  const url = URL.parse(`http://${host ?? ''}`);
  if (url === null || host === undefined || url.username !== '' || url.pathname !== '/') return false;
  const { hostname } = url;
  return (
    /^\[[0-9a-f:.]+\]$/.test(hostname) ||
    /^\d{1,3}(\.\d{1,3}){3}$/.test(hostname) ||
    /^([^.]+\.)*localhost$/.test(hostname) ||
    (publicUrl !== undefined && hostname === new URL(publicUrl).hostname) ||
    known.includes(hostname)
  );
}
