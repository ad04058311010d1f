const firstShown = new Map<string, number>();

/** Notes when a request was first shown to the reader. */
export function noteShown(id: string): void {
  if (!firstShown.has(id)) firstShown.set(id, performance.now());
}

const longestMs = 86_400_000;

/** How long the request has been shown, for the record of the vote; undefined when it never was. */
export function seenMs(id: string): number | undefined {
  const since = firstShown.get(id);
  return since === undefined ? undefined : Math.min(longestMs, Math.round(performance.now() - since));
}
