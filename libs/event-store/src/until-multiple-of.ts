/**
 * How long a pause of `ms` lasts that ends at a multiple of `ms`, so that idle tasks wake up together, those of other
 * processes too. A turn may begin a little before its time: it counts for the multiple that it was meant for.
 */
export function untilMultipleOf(ms: number): number {
  const left = ms - (Date.now() % ms);
  return left < Math.min(20, ms / 16) ? left + ms : left;
}
