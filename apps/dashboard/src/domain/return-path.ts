/** A path of the dashboard itself to go back to; anything else, other hosts above all, is the landing page. */
export function returnPath(wanted: string | undefined): string {
  if (wanted === undefined || !wanted.startsWith('/') || /^\/[/\\]|[\u0000-\u001f\\]/.test(wanted))
    return '/approvals';
  return wanted === '/' || wanted.startsWith('/sign-in') ? '/approvals' : wanted;
}
