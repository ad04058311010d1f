import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames } from '@agentlattice/contracts';
import {
  type Instrument,
  instruments,
  instrumentsOfTheSdk,
  prometheusLabel,
  prometheusNames,
} from '@agentlattice/observability';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..');
const telemetry = join(root, 'deploy', 'telemetry');
const yamlOf = (path: string): unknown => parse(readFileSync(path, 'utf8'), { merge: true });
const filesIn = (folder: string) =>
  readdirSync(join(telemetry, folder)).map((name) => join(telemetry, folder, name));

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface RuleTest {
  readonly input_series: readonly { readonly series: string }[];
  readonly alert_rule_test: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly unknown[];
  }[];
}
interface Dashboard {
  readonly uid: string;
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const rules = filesIn('rules').flatMap((path) =>
  (yamlOf(path) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
);
const alerts = rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }]));
const tests = filesIn('tests').flatMap((path) => (yamlOf(path) as { tests: RuleTest[] }).tests);
const dashboards = filesIn('dashboards').map((path) => JSON.parse(readFileSync(path, 'utf8')) as Dashboard);

/** The labels of each series that Prometheus can have. */
const labelsOf = new Map<string, ReadonlySet<string>>([['up', new Set()]]);
const everywhere = ['job', 'instance', 'le', 'otel_metric_overflow'];
const table: Readonly<Record<string, Instrument>> = { ...instruments, ...instrumentsOfTheSdk };
for (const [name, instrument] of Object.entries(table))
  for (const series of prometheusNames(name, instrument))
    labelsOf.set(series, new Set(Object.keys(instrument.labels).map(prometheusLabel)));
const recorded = new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])));

const words = new Set(['and', 'or', 'unless', 'on', 'by', 'without', 'offset', 'bool']);

/** Series and labels in an expression that nothing exports. */
function unknownIn(expr: string): string[] {
  const unknown: string[] = [];
  const used: ReadonlySet<string>[] = [];
  const withoutTexts = expr.replaceAll(/"[^"]*"/g, '""').replaceAll(/\[[^\]]*\]/g, '');
  // Series with matchers first, then the bare ones.
  const rest = withoutTexts.replaceAll(/([\w:]*)\{([^}]*)\}/g, (_, name: string, matchers: string) => {
    const labels = labelsOf.get(name);
    if (name !== '' && labels === undefined) unknown.push(name);
    for (const [, label = ''] of matchers.matchAll(/(\w+)\s*[=!]/g))
      if (!everywhere.includes(label) && labels?.has(label) !== true) unknown.push(`${name}{${label}}`);
    if (labels !== undefined) used.push(labels);
    return '';
  });
  const bare = rest.replaceAll(/\b(by|on|without)\s*\(([^)]*)\)/g, '');
  for (const [name] of bare.matchAll(/\b[a-z_][\w:]*\b(?!\s*\()/g)) {
    if (words.has(name) || recorded.has(name)) continue;
    const labels = labelsOf.get(name);
    if (labels === undefined) unknown.push(name);
    else used.push(labels);
  }
  for (const [, , grouped = ''] of rest.matchAll(/\b(by|on|without)\s*\(([^)]*)\)/g))
    for (const label of grouped
      .split(',')
      .map((text) => text.trim())
      .filter(Boolean))
      if (!everywhere.includes(label) && !used.some((labels) => labels.has(label)))
        unknown.push(`by ${label}`);
  return unknown;
}

it('an expression with a series or label that no instrument has is found', () => {
  expect(unknownIn('max(agentlattice_relay_lag) > 3')).toEqual(['agentlattice_relay_lag']);
  expect(unknownIn('sum by (policy) (rate(agentlattice_action_total[5m]))')).toEqual(['by policy']);
  expect(unknownIn('rate(agentlattice_action_total{verdict="denied", agent="x"}[5m])')).toEqual([
    'agentlattice_action_total{agent}',
  ]);
});

describe.each(rules.map((rule) => [rule.alert ?? rule.record ?? '', rule] as const))(
  'rule %s',
  (_, { expr }) => {
    it('reads only what the services export', () => {
      expect(unknownIn(expr)).toEqual([]);
      expect(wrongBoundsIn(expr)).toEqual([]);
    });
  },
);

/** Bounds of buckets in an expression that no instrument has, or that are read as only one version of Prometheus writes them. */
function wrongBoundsIn(expr: string): string[] {
  const matchers = expr.matchAll(/([\w:]+)_bucket\{[^}]*\ble(=~?)"([^"]*)"/g);
  return [...matchers].flatMap(([matcher, series = '', operator, text = '']) => {
    const [, { buckets = [] } = {}] =
      Object.entries(table).find(([name, one]) => prometheusNames(name, one).includes(`${series}_bucket`)) ??
      [];
    const pattern = operator === '=' ? text.replaceAll('.', '\\.') : text.replaceAll('\\\\', '\\');
    const isRead = (bound: string) => new RegExp(`^(?:${pattern})$`).test(bound);
    // Prometheus 3 stores 2 as 2.0 (its migration guide), earlier versions store what is exported.
    const forms = buckets.map((bound) => [
      String(bound),
      Number.isInteger(bound) ? `${String(bound)}.0` : String(bound),
    ]);
    const read = forms.filter((both) => both.some(isRead));
    return read.length === 1 && read.every((both) => both.every(isRead)) ? [] : [matcher];
  });
}

it('a bound of a bucket that is read as one version of Prometheus writes it alone is found', () => {
  const timers = 'agentlattice_timer_lateness_seconds_bucket';
  for (const wrong of ['="2"', '="2.0"', '=~"2|5"', '="3"'])
    expect(wrongBoundsIn(`rate(${timers}{le${wrong}}[5m])`)).toEqual([`${timers}{le${wrong}`]);
  expect(wrongBoundsIn(`rate(${timers}{le=~"2(\\\\.0)?"}[5m])`)).toEqual([]);
  expect(wrongBoundsIn(`rate(${timers}{le="0.5"}[5m])`)).toEqual([]);
});

describe.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))(
  'dashboard %s',
  (_, { panels }) => {
    it.each(panels.map(({ title, targets }) => [title, targets] as const))(
      'shows “%s” of what is exported',
      (_title, targets) => {
        expect(targets.length).toBeGreaterThan(0);
        expect(targets.flatMap(({ expr }) => [...unknownIn(expr), ...wrongBoundsIn(expr)])).toEqual([]);
      },
    );
  },
);

it('every instrument is shown on a dashboard or read by a rule', () => {
  const read = [
    ...rules.map(({ expr }) => expr),
    ...dashboards.flatMap(({ panels }) => panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))),
  ].join('\n');
  const unread = Object.entries(table).filter(
    ([name, instrument]) => !prometheusNames(name, instrument).some((series) => read.includes(series)),
  );
  expect(unread.map(([name]) => name)).toEqual([]);
});

describe.each(alerts.map((alert) => [alert.alert, alert] as const))(
  'alert %s',
  (name, { labels, annotations }) => {
    const path = `docs/operations/runbooks/${name}.md`;

    it('has a severity that has a receiver, and a runbook', () => {
      expect(['page', 'ticket', 'none']).toContain(labels?.['severity']);
      expect(annotations).toEqual({ summary: expect.stringMatching(/.{20}/) as string, runbook: path });
      const text = readFileSync(join(root, path), 'utf8');
      expect(text).toMatch(new RegExp(`^# ${name}\n`));
      for (const heading of ['## What it means', '## What to look at', '## What to do'])
        expect(text).toContain(heading);
    });

    it('fires in one test and is silent in another', () => {
      const expected = tests.flatMap((test) =>
        test.alert_rule_test
          .filter(({ alertname }) => alertname === name)
          .map(({ exp_alerts }) => exp_alerts.length),
      );
      // The one that always fires has no other state.
      expect(expected).toEqual(name === 'DeadMansSwitch' ? [1] : [1, 0]);
    });
  },
);

it('every runbook belongs to an alert', () => {
  const names = readdirSync(join(root, 'docs/operations/runbooks')).filter((name) => name !== 'README.md');
  expect(names.sort()).toEqual(alerts.map(({ alert }) => `${alert}.md`).sort());
});

it('the tests of rules use series as the collector exports them', () => {
  expect(
    tests.flatMap(({ input_series }) => input_series.flatMap(({ series }) => unknownIn(series))),
  ).toEqual([]);
});

it('an alert about missing metrics names every service', () => {
  const { expr = '' } = alerts.find(({ alert }) => alert === 'ServiceMetricsMissing') ?? {};
  for (const service of serviceNames) expect(expr).toContain(`job="agentlattice-${service}"`);
});

it('runbooks and the page about telemetry link only to files that exist', () => {
  const pages = [
    ...readdirSync(join(root, 'docs/operations/runbooks')).map((name) =>
      join('docs/operations/runbooks', name),
    ),
    'docs/operations/telemetry.md',
  ];
  for (const page of pages)
    for (const [, target = ''] of readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g))
      expect([page, target, existsSync(join(root, page, '..', target))]).toEqual([page, target, true]);
});

it('the page about telemetry lists every instrument', () => {
  const page = readFileSync(join(root, 'docs/operations/telemetry.md'), 'utf8');
  expect(Object.keys(instruments).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

describe('the collector', () => {
  type Components = Readonly<Record<string, unknown>>;
  const config = yamlOf(join(telemetry, 'otel-collector.yaml')) as Record<string, Components> & {
    service: {
      extensions: string[];
      pipelines: Record<string, Record<'receivers' | 'processors' | 'exporters', string[]>>;
    };
  };
  const pipelines = Object.values(config.service.pipelines);

  it.each(['receivers', 'processors', 'exporters'] as const)('uses all of its %s and no others', (kind) => {
    expect([...new Set(pipelines.flatMap((pipeline) => pipeline[kind]))].sort()).toEqual(
      Object.keys(config[kind] ?? {}).sort(),
    );
  });

  it('limits its memory first and batches last', () => {
    expect(config.service.extensions).toEqual(Object.keys(config['extensions'] ?? {}));
    for (const { processors } of pipelines) expect(processors).toEqual(['memory_limiter', 'batch']);
  });
});

describe('docker-compose.yml', () => {
  const compose = (
    yamlOf(join(root, 'docker-compose.yml')) as { services: Record<string, { volumes?: string[] }> }
  ).services;

  it('mounts only files of telemetry that exist', () => {
    const mounted = Object.values(compose)
      .flatMap(({ volumes = [] }) => volumes)
      .flatMap((volume) => /^\.\/(deploy\/(?:telemetry|grafana)\/[^:]+)/.exec(volume)?.[1] ?? []);
    expect(mounted.length).toBeGreaterThan(5);
    expect(mounted.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('runs what the files of telemetry talk to', () => {
    const text = ['otel-collector.yaml', 'prometheus.yml', 'alertmanager.yml']
      .map((name) => readFileSync(join(telemetry, name), 'utf8'))
      .join('\n');
    const hosts = [...text.matchAll(/\b([a-z-]+):(?:4317|8888|8889|9093|1025)\b/g)].map(
      ([, host = '']) => host,
    );
    expect(new Set(hosts)).toEqual(new Set(['jaeger', 'otel-collector', 'alertmanager', 'mail']));
    expect(Object.keys(compose)).toEqual(expect.arrayContaining([...new Set(hosts)]));
  });
});
