export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};

const pad = (cells, widths) =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');

export function table(head, rows) {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length)));
  return [
    pad(head, widths),
    widths.map((w) => '-'.repeat(w)).join('  '),
    ...rows.map((row) => pad(row, widths)),
  ].join('\n');
}

/** Medians per target and number of connections, with ratios to each peer. */
export function summarise(bursts) {
  const groups = Map.groupBy(bursts, ({ target, connections }) => `${target} ${connections}`);
  const rows = [...groups.values()].map((group) => ({
    target: group[0].target,
    connections: group[0].connections,
    rate: median(group.map((b) => b.rate)),
    p50: median(group.map((b) => b.p50)),
    p99: median(group.map((b) => b.p99)),
    cpu_us: median(group.map((b) => b.cpu_us)),
    repeats: group.length,
  }));
  for (const row of rows)
    for (const peer of rows)
      if (row.target !== peer.target && row.connections === peer.connections) {
        row[`rate_to_${peer.target}`] = row.rate / peer.rate;
        row[`p50_to_${peer.target}`] = row.p50 / peer.p50;
      }
  return rows;
}

const ratio = (value) => (value === undefined ? '' : value.toFixed(2));

export function render({ when, machine, targets, load, summary, audit, start, pss, notes }) {
  const rows = summary
    .sort((a, b) => a.connections - b.connections || a.target.localeCompare(b.target))
    .map((r) => [
      r.target,
      String(r.connections),
      String(r.rate),
      r.p50.toFixed(2),
      r.p99.toFixed(2),
      String(Math.round(r.cpu_us)),
      ratio(r.rate_to_cerbos),
      ratio(r.rate_to_opa),
      ratio(r.p50_to_cerbos),
    ]);
  const memory = Object.entries(pss).map(([name, mb]) => [name, mb.toFixed(1)]);
  const times = Object.entries(start ?? {}).map(([name, ms]) => [
    name,
    (median(ms) / 1_000).toFixed(2),
    ms.map((t) => (t / 1_000).toFixed(2)).join(' '),
  ]);
  return [
    `Audited verdicts over HTTP, ${when}`,
    `${machine}; load before the bursts ${load.min} to ${load.max} (1 minute); loader: ${audit.loader}; ${audit.mix}`,
    '',
    ...targets.map(({ name, version, durability }) => `${name} ${version}: ${durability}`),
    '',
    table(
      ['target', 'connections', 'per s', 'p50 ms', 'p99 ms', 'CPU µs', '×Cerbos', '×OPA', 'p50 ×Cerbos'],
      rows,
    ),
    '',
    `Medians of ${summary[0]?.repeats} interleaved bursts. Only ratios inside one run count. CPU: all of a target's processes, per answer.`,
    `Answers: all ${audit.checked} checked verdicts right, ${audit.errors} errors in ${audit.answered} answers of ours.`,
    `Log: ${audit.entries} entries of ${audit.answered} answered submissions (at most ${audit.cutOff} were cut off by the end of a burst); ${audit.verified}`,
    '',
    table(['process, after load', 'PSS MB'], memory),
    ...(times.length > 0 ? ['', table(['npm start to the first verdict', 'median s', 'runs'], times)] : []),
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
  ].join('\n');
}
