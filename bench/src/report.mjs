import { median, paired, perProcess } from './figures.mjs';

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

/** Medians per target and number of connections, with ratios to each peer in the same rounds. */
export function summarise(bursts) {
  const groups = Map.groupBy(bursts, ({ target, connections }) => `${target} ${connections}`);
  const rows = [...groups.values()].map((group) => ({
    target: group[0].target,
    connections: group[0].connections,
    rate: median(group.map((b) => b.rate)),
    p50: median(group.map((b) => b.p50)),
    p99: median(group.map((b) => b.p99)),
    cpu_us: median(group.map((b) => b.cpu_us)),
    load: median(group.map((b) => b.load)),
    repeats: group.length,
  }));
  for (const row of rows)
    for (const peer of rows)
      if (row.target !== peer.target && row.connections === peer.connections) {
        const runs = bursts.filter(({ connections }) => connections === row.connections);
        for (const figure of ['rate', 'p50', 'cpu_us'])
          row[`${figure}_to_${peer.target}`] = paired(runs, row.target, peer.target, (run) => run[figure]);
      }
  return rows;
}

const ratio = (value) => (value === undefined ? '' : value.toFixed(2));

/** Ratios that a table shows, where the peer is there. */
const compared = [
  ['×Cerbos', 'rate_to_cerbos'],
  ['×OPA', 'rate_to_opa'],
  ['p50 ×Cerbos', 'p50_to_cerbos'],
  ['×before', 'rate_to_before'],
  ['p50 ×before', 'p50_to_before'],
  ['CPU ×before', 'cpu_us_to_before'],
];

export function render({
  when,
  machine,
  targets,
  load,
  summary,
  audits,
  start,
  pss,
  idle,
  notes,
  options,
  audit,
}) {
  const columns = compared.filter(([, member]) => summary.some((row) => row[member] !== undefined));
  const rows = summary
    .sort((a, b) => a.connections - b.connections || a.target.localeCompare(b.target))
    .map((r) => [
      r.target,
      String(r.connections),
      String(r.rate),
      r.p50.toFixed(2),
      r.p99.toFixed(2),
      String(Math.round(r.cpu_us)),
      r.load.toFixed(1),
      ...columns.map(([, member]) => ratio(r[member])),
    ]);
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
      [
        ...['target', 'connections', 'per s', 'p50 ms', 'p99 ms', 'CPU µs', 'load'],
        ...columns.map(([title]) => title),
      ],
      rows,
    ),
    '',
    `Medians of ${summary[0]?.repeats} interleaved bursts after ${options.warmUp} s of load for each target; ratios are medians of the rounds' own. CPU: all of a target's processes, per answer.`,
    `Answers: all ${audit.checked} checked verdicts right.`,
    ...audits.map(
      ({ name, answered, errors, cutOff, entries, verified }) =>
        `Log of ${name}: ${entries} entries of ${answered} answered submissions, ${errors} of them errors (at most ${cutOff} were cut off by the end of a burst); ${verified}`,
    ),
    '',
    table(['process, after load', 'PSS MB'], perProcess(pss)),
    '',
    table([`idle for ${options.idle} s`, '% of a core'], perProcess(idle)),
    ...(times.length > 0 ? ['', table(['npm start to the first verdict', 'median s', 'runs'], times)] : []),
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
  ].join('\n');
}
