// 50 policies and 100 requests, the same for every target; each request knows the verdict that is right.

const two = (n) => String(n).padStart(2, '0');
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

/** What each policy says, in words of this bench; the targets translate it. */
export const policies = [
  ...range(0, 18).map((i) => ({ service: `svc${two(i)}`, effect: 'allow' })),
  ...range(18, 35).map((i) => ({
    service: `svc${two(i)}`,
    effect: 'conditional',
    conditions: [
      { field: 'pr_size', operator: 'lt', value: 200 + i },
      { field: 'branch', operator: 'eq', value: 'main' },
      { field: 'region', operator: 'in', value: ['eu-west-1', 'eu-north-1'] },
    ],
  })),
  ...range(35, 43).map((i) => ({ service: `svc${two(i)}`, effect: 'deny' })),
  ...range(43, 48).map((i) => ({ service: `svc${two(i)}`, effect: 'require_approval' })),
  ...range(48, 50).map((i) => ({ service: `svc${two(i)}`, effect: 'allow', prefix: true })),
];

const metadata = (i, holds) => ({
  pr_size: holds ? 20 + i : 4_000 + i,
  branch: 'main',
  region: i % 2 === 0 ? 'eu-west-1' : 'eu-north-1',
  ticket: `OPS-${String(1_000 + i)}`,
  change: { files: i, tests: true },
  note: 'Rolls the service forward to the build that passed the pipeline.',
});

/** `asking` of the 100 requests need a person: 10, or 0 to compare bare verdicts. 60 are executed, the rest denied. */
export function requests(asking) {
  const of = (list, i) => list[i % list.length];
  const by = (effect) => policies.filter((policy) => policy.effect === effect);
  const wanted = [
    ...range(0, 30).map((i) => [of(by('allow'), i), true, 'executed']),
    ...range(30, 60).map((i) => [of(by('conditional'), i), true, 'executed']),
    ...range(60, 75).map((i) => [of(by('conditional'), i), false, 'denied']),
    ...range(75, 100 - asking).map((i) => [of(by('deny'), i), true, 'denied']),
    ...range(100 - asking, 100).map((i) => [of(by('require_approval'), i), true, 'requested']),
  ];
  const made = wanted.map(([policy, holds, verdict], i) => ({
    service: policy.service,
    operation: policy.prefix ? `deploy.step${String(i % 3)}` : 'deploy',
    metadata: metadata(i, holds),
    data_accessed: [{ kind: 'repository', rows: i }],
    verdict,
  }));
  // Mixed up the same way every time: 37 and 100 have no common divisor.
  return made.map((_, i) => made[(i * 37) % 100]);
}
