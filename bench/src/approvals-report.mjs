import { median, paired, perProcess, sum } from './figures.mjs';
import { table } from './report.mjs';

const two = (value) => value.toFixed(2);

const figures = {
  'wake p50': ({ single }) => single.p50,
  'wake p99': ({ single }) => single.p99,
  'per s': ({ loops }) => loops.rate,
  'CPU µs': ({ loops }) => sum(loops.cpu),
};

/** Medians over the rounds, and ratios to the others in the same rounds. */
export function renderApprovals(report) {
  const { when, machine, load, options, servers, targets, measured, releases, polled, pss, idle } = report;
  const of = (target, figure) => median(measured.filter((run) => run.target === target).map(figure));
  const rows = targets.map((target) => [
    target,
    two(of(target, figures['wake p50'])),
    two(of(target, figures['wake p99'])),
    String(of(target, figures['per s'])),
    two(of(target, ({ loops }) => loops.p50)),
    two(of(target, ({ loops }) => loops.p99)),
    String(of(target, figures['CPU µs'])),
    of(target, (run) => run.load).toFixed(1),
  ]);
  const ratios = targets
    .filter((target) => target.startsWith('agentlattice'))
    .flatMap((target) => {
      const before = target.replace('agentlattice', 'before');
      return ['restate', before]
        .filter((peer) => targets.includes(peer))
        .map((peer) => [
          `${target} ÷ ${peer}`,
          ...Object.values(figures).map((figure) => two(paired(measured, target, peer, figure))),
        ]);
    });
  return [
    `Approvals: from the decision to the agent that goes on, ${when}`,
    `${machine}; load before the bursts ${load.min} to ${load.max} (1 minute)`,
    '',
    ...servers.map(({ name, version, durability }) => `${name} ${version}: ${durability}`),
    '',
    table(
      [
        'target',
        'wake p50 ms',
        'wake p99 ms',
        `per s at ${options.loops}`,
        'p50 ms',
        'p99 ms',
        'CPU µs',
        'load',
      ],
      rows,
    ),
    '',
    ...(ratios.length === 0
      ? []
      : [table(['ratio, median of the rounds', ...Object.keys(figures)], ratios), '']),
    `Medians of ${options.repeats} interleaved rounds of ${options.singles} single requests and ${options.seconds} s of ${options.loops} loops, after ${options['warm-up']} s of loops for`,
    'each server. "wake": from sending the approval until the waiting agent has its answer. A loop creates, waits, approves. Ours in three',
    'HTTP requests (submission, status, approval) or in two (a submission that is held, the approval), Restate in two.',
    ...(releases.length === 0
      ? []
      : [
          '',
          `Policy change → released, ${releases[0].pending} pending: first ${releases.map(({ first }) => Math.round(first)).join(', ')} ms, last ${releases.map(({ last }) => Math.round(last)).join(', ')} ms.`,
        ]),
    ...(polled === null
      ? []
      : [
          `The published client, unmodified, polls every 5 s: ${polled.count} gates, p50 ${Math.round(polled.p50)} ms, p99 ${Math.round(polled.p99)} ms.`,
        ]),
    '',
    table(['process, after load', 'PSS MB'], perProcess(pss)),
    '',
    table([`idle for ${options.idle} s`, '% of a core'], perProcess(idle)),
    '',
  ].join('\n');
}
