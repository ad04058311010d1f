/**
 * The length of a pause of about `ms` that ends at a multiple of `ms`, so that idle tasks of all processes wake up together.
 * A turn that begins a little early counts for the next multiple.
 */
export function untilMultipleOf(ms: number): number {
  const left = ms - (Date.now() % ms);
  return left < Math.min(20, ms / 16) ? left + ms : left;
}
