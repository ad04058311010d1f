/**
 * Waits for a condition: polls until `probe` neither throws nor returns false or undefined.
 * @param within the limit in milliseconds; reaching it fails the test
 * @returns what the probe returned
 * @throws the probe's last error, or an error that the condition did not become true
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { within = 10_000, every = 20 }: { within?: number; every?: number } = {},
): Promise<Exclude<T, false | undefined>> {
  const deadline = Date.now() + within;
  let failure: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== false && found !== undefined) return found as Exclude<T, false | undefined>;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline)
      throw failure ?? new Error(`the condition did not become true within ${String(within)} ms`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
