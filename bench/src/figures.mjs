import { services } from './checkout.mjs';
import { pause } from './process.mjs';

/** CPU µs per answer of each process, from what it had used before and after. */
export const cpuPer = (before, after, answers) =>
  Object.fromEntries(
    Object.keys(after).map((name) => [
      name,
      Math.round(((after[name] - before[name]) * 1e6) / Math.max(1, answers)),
    ]),
  );

/** What nobody asks costs: each process's share of a core, in percent, over the time. */
export async function idleCpu(targets, { seconds, settleSeconds = 5 }) {
  await pause(settleSeconds * 1_000);
  const read = () => Promise.all(targets.map((target) => target.cpu()));
  const before = await read();
  await pause(seconds * 1_000);
  const after = await read();
  return Object.fromEntries(
    targets.map(({ name }, i) => [
      name,
      Object.fromEntries(
        Object.keys(after[i]).map((process) => [
          process,
          Math.round(((after[i][process] - before[i][process]) / seconds) * 1_000) / 10,
        ]),
      ),
    ]),
  );
}

export const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);

/** The part that our five services have in a figure per process; undefined for a target that is none of ours. */
export function sumOfServices(figures) {
  const own = services.filter((name) => name in figures).map((name) => figures[name]);
  return own.length === 0 ? undefined : own.reduce((a, b) => a + b, 0);
}

/** A table's rows of a figure per process and target, with sums. */
export function perProcess(byTarget, digits = 1) {
  return Object.entries(byTarget).flatMap(([target, figures]) => {
    const rows = Object.entries(figures).map(([name, value]) => [
      `${target}: ${name}`,
      value.toFixed(digits),
    ]);
    const ofServices = sumOfServices(figures);
    if (ofServices !== undefined) rows.push([`${target}: the services together`, ofServices.toFixed(digits)]);
    if (rows.length > 1) rows.push([`${target}: all processes`, sum(figures).toFixed(digits)]);
    return rows;
  });
}

/** Both of the same round, divided; then the median of the rounds: a machine that slows down slows both. */
export function paired(runs, target, peer, figure) {
  const of = (name) => runs.filter((run) => run.target === name).sort((a, b) => a.repeat - b.repeat);
  const ratios = of(target).map((run, i) => figure(run) / figure(of(peer)[i]));
  return median(ratios);
}

/** The value that this share of the values does not exceed, such as 0.99; undefined for none. */
export const percentile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
};

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};
