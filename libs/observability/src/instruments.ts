import { channelTypes, denialReasons, serviceNames } from '@agentlattice/contracts';

/** What a label may be: one of these values, or a text of this form, of which the code has a fixed number. */
export type LabelRule = readonly (string | boolean)[] | RegExp;

export interface Instrument {
  readonly kind: 'counter' | 'histogram' | 'gauge';
  /** In the notation of UCUM, as OpenTelemetry uses it: `s`, `By`, `1`, or a name in braces. */
  readonly unit: string;
  readonly description: string;
  /** Never an id, a name that people choose, a subject with a workspace in it, or the text of an error. */
  readonly labels: Readonly<Record<string, LabelRule>>;
  /** Of a histogram. Without boundaries of our own OpenTelemetry's are meant for milliseconds. */
  readonly buckets?: readonly number[];
}

const fast = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10] as const;
/** From seconds to the week after which the longest request ends. */
const human = [5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 259_200, 604_800] as const; // prettier-ignore
const late = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 300, 3_600] as const;
const delivering = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 300, 3_600, 86_400] as const;
const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] as const;

const verdicts = ['executed', 'pending_approval', 'denied'] as const;
const yesNo = [true, false] as const;
const via = ['api', 'dashboard', 'mcp', 'cli', 'slack', 'email', 'system'] as const;
const outcomes = ['approved', 'denied', 'cancelled', 'timed_out'] as const;

/** Every instrument of every service; `docs/operations/telemetry.md` says which service records it. */
export const instruments = {
  'http.server.request.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Duration of HTTP requests; with `agentlattice.wait` it includes the wait for a person',
    labels: {
      'http.request.method': /^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|_OTHER)$/,
      'http.route': /^(unmatched|\/[\w:/.*-]*)$/,
      'http.response.status_code': /^[1-5]\d\d$/,
      'agentlattice.wait': yesNo,
    },
    buckets: fast,
  },
  'agentlattice.gate.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'From a submission to its durable verdict, without the wait for a person',
    labels: { outcome: [...verdicts, 'refused', 'unavailable'] },
    buckets: fast,
  },
  'agentlattice.waiters': {
    kind: 'gauge',
    unit: '{request}',
    description: 'Requests for approval that clients of this gateway wait for',
    labels: {},
  },
  'agentlattice.unblock.duration': {
    kind: 'histogram',
    unit: 's',
    description:
      'From the decision until the waiting client is answered, by the clocks of the database and the gateway',
    labels: { outcome: ['approved', 'denied', 'timed_out'] },
    buckets: fast,
  },
  'agentlattice.policy.staleness': {
    kind: 'gauge',
    unit: 's',
    description:
      'Age of the last reading of the policies that counts, while actions are judged; 0 while none are',
    labels: {},
  },
  'agentlattice.action': {
    kind: 'counter',
    unit: '{action}',
    description: 'Actions whose verdict was written to the audit log',
    labels: { verdict: verdicts, denial_reason: [...denialReasons, 'none'] },
  },
  'agentlattice.ledger.entries': {
    kind: 'counter',
    unit: '{entry}',
    description: 'Entries written to the audit log',
    labels: { source: serviceNames },
  },
  'agentlattice.ledger.append.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Duration of a commit to the audit log',
    labels: { outcome: ['written', 'failed'] },
    buckets: fast,
  },
  'agentlattice.ledger.batch.size': {
    kind: 'histogram',
    unit: '{entry}',
    description: 'Entries in a commit to the audit log',
    labels: {},
    buckets: sizes,
  },
  'agentlattice.ledger.checkpoint.age': {
    kind: 'gauge',
    unit: 's',
    description: 'Age of the oldest entry that no signed checkpoint covers; 0 when there is none',
    labels: {},
  },
  'agentlattice.writer.active': {
    kind: 'gauge',
    unit: '{writer}',
    description: '1 where this process is the writer of the audit log, 0 where it stands by',
    labels: {},
  },
  'agentlattice.relay.lag': {
    kind: 'gauge',
    unit: 's',
    description: 'Age of the oldest committed event that is not published',
    labels: { relay: serviceNames },
  },
  'agentlattice.intake.lag': {
    kind: 'gauge',
    unit: 's',
    description: 'Age of the oldest event of a source that is not taken in',
    labels: { consumer: /^[a-z-]+$/, source: serviceNames },
  },
  'agentlattice.ledger.lag': {
    kind: 'gauge',
    unit: 's',
    description: 'How long nothing could be written to the audit log although something waits',
    labels: {},
  },
  'agentlattice.approval.pending': {
    kind: 'gauge',
    unit: '{request}',
    description: 'Requests for approval that wait for a decision',
    labels: { status: ['pending', 'escalated'], quorum: ['one', 'several'] },
  },
  'agentlattice.approval.overdue': {
    kind: 'gauge',
    unit: 's',
    description: 'How long the oldest deadline of an open request is past; 0 when none is',
    labels: {},
  },
  'agentlattice.approval.wait': {
    kind: 'histogram',
    unit: 's',
    description: 'From a request for approval to its end',
    labels: { outcome: outcomes, via },
    buckets: human,
  },
  'agentlattice.timer.lateness': {
    kind: 'histogram',
    unit: 's',
    description: 'From a deadline or the time of an escalation until it took effect',
    labels: { timer: ['deadline', 'escalation'] },
    buckets: late,
  },
  'agentlattice.escalation.fired': {
    kind: 'counter',
    unit: '{escalation}',
    description: 'Steps of escalation that were taken',
    labels: {},
  },
  'agentlattice.delivery.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Duration of an attempt to deliver a webhook or mail',
    labels: { channel: channelTypes, outcome: ['delivered', 'failed'] },
    buckets: fast,
  },
  'agentlattice.delivery.wait': {
    kind: 'histogram',
    unit: 's',
    description: 'From an event to the first attempt to deliver it',
    labels: { channel: channelTypes },
    buckets: delivering,
  },
  'agentlattice.delivery.dead_letters': {
    kind: 'counter',
    unit: '{delivery}',
    description: 'Deliveries that failed for good',
    labels: { channel: channelTypes },
  },
  'agentlattice.delivery.oldest_due': {
    kind: 'gauge',
    unit: 's',
    description: 'How long the oldest delivery has been due that is not under way',
    labels: {},
  },
  'messaging.process.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Duration of handling a message of NATS',
    labels: {
      'messaging.system': ['nats'],
      'messaging.operation.name': ['process'],
      'messaging.destination.template': /^[a-z_.{}-]+$/,
      'error.type': ['refused', 'unavailable', 'failed'],
    },
    buckets: fast,
  },
  'db.client.connection.count': {
    kind: 'gauge',
    unit: '{connection}',
    description: 'Connections to PostgreSQL in the pool of the process',
    labels: {
      'db.client.connection.state': ['idle', 'used'],
      'db.client.connection.pool.name': serviceNames,
    },
  },
  'db.client.connection.pending_requests': {
    kind: 'gauge',
    unit: '{request}',
    description: 'Work that waits for a connection of the pool',
    labels: { 'db.client.connection.pool.name': serviceNames },
  },
  'nodejs.eventloop.delay.p99': {
    kind: 'gauge',
    unit: 's',
    description: '99th percentile of the delay of the event loop since the last export',
    labels: {},
  },
  'nodejs.eventloop.utilization': {
    kind: 'gauge',
    unit: '1',
    description: 'Share of the time since the last export in which the event loop was busy',
    labels: {},
  },
  'v8js.memory.heap.used': {
    kind: 'gauge',
    unit: 'By',
    description: 'Used heap by the spaces of V8',
    labels: { 'v8js.heap.space.name': /^[a-z_]+$/ },
  },
  'agentlattice.heap.limit': {
    kind: 'gauge',
    unit: 'By',
    description: 'Size to which the heap may grow',
    labels: {},
  },
  'process.memory.usage': {
    kind: 'gauge',
    unit: 'By',
    description: 'Physical memory of the process',
    labels: {},
  },
} as const satisfies Readonly<Record<string, Instrument>>;

export type InstrumentName = keyof typeof instruments;
type OfKind<Kind> = {
  [Name in InstrumentName]: (typeof instruments)[Name]['kind'] extends Kind ? Name : never;
}[InstrumentName];
export type CounterName = OfKind<'counter'>;
export type HistogramName = OfKind<'histogram'>;
export type GaugeName = OfKind<'gauge'>;

type ValueOf<Rule> = Rule extends readonly (infer Value)[] ? Value : string | number;
/** The labels of an instrument; only `error.type` may be missing, where nothing failed. */
export type LabelsOf<Name extends InstrumentName> = {
  readonly [Label in Exclude<keyof (typeof instruments)[Name]['labels'], 'error.type'>]: ValueOf<
    (typeof instruments)[Name]['labels'][Label]
  >;
} & {
  readonly [Label in Extract<keyof (typeof instruments)[Name]['labels'], 'error.type'>]?: ValueOf<
    (typeof instruments)[Name]['labels'][Label]
  >;
};

/**
 * Instruments of OpenTelemetry's SDK about itself that we read. They are recorded because of OTEL_NODE_EXPERIMENTAL_SDK_METRICS.
 */
export const instrumentsOfTheSdk = {
  'otel.sdk.processor.span.processed': {
    kind: 'counter',
    unit: '{span}',
    description: 'Spans that were exported, or dropped: `error.type` says why',
    labels: {
      'error.type': /^[\w.]+$/,
      'otel.component.type': /^[a-z_]+$/,
      'otel.component.name': /^[a-z_]+\/\d+$/,
    },
  },
} as const satisfies Readonly<Record<string, Instrument>>;
