import { type Route, routes } from '@agentlattice/contracts';
import type { Api } from '../../api-calls.js';
import { Failure } from '../../exit-code.js';
import { safeText } from '../../render/safe-text.js';
import { spanText } from '../../render/time-text.js';
import { readChannels } from '../channels.js';
import { keyStatus, readKeys } from '../keys.js';
import { firstOf } from '../lists.js';
import { readMembers } from '../members.js';
import { type Check, failed, ok, reasonOf, warning } from './check.js';
import { clock } from './judge-servers.js';

const answerWithinMs = 10_000;
const probes = 5;
const slowMs = 500;
const expiresSoonMs = 14 * 86_400_000;

const get = (url: string): Promise<Response> =>
  fetch(url, { signal: AbortSignal.timeout(answerWithinMs), redirect: 'manual' });

/** What anybody can see of the gateway. */
export async function checkGateway(baseUrl: string): Promise<{ checks: Check[]; answers: boolean }> {
  const part = 'gateway';
  const times: number[] = [];
  let clockMs: number | null = null;
  try {
    for (let n = 0; n < probes; n++) {
      const begun = performance.now();
      const sent = Date.now();
      const answer = await get(`${baseUrl}/healthz`);
      const { status } = (await answer.json()) as { status?: unknown };
      if (!answer.ok || status !== 'ok') throw new Error(`HTTP ${String(answer.status)}`);
      times.push(performance.now() - begun);
      const date = Date.parse(answer.headers.get('date') ?? '');
      // The header has whole seconds, cut off: on average half a second more has passed.
      if (!Number.isNaN(date)) clockMs = date + 500 - (sent + Date.now()) / 2;
    }
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause ?? error;
    return {
      answers: false,
      checks: [
        failed(
          part,
          `${safeText(baseUrl)} does not answer (${safeText(reasonOf(cause))}).`,
          'Start the system, or set AL_BASE_URL to its address.',
        ),
      ],
    };
  }
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  const text = `${safeText(baseUrl)} answers in ${String(Math.round(median))} ms.`;
  return {
    answers: true,
    checks: [
      median < slowMs
        ? ok(part, text)
        : warning(part, text, 'Look at the load of the gateway and at the network in between.'),
      ...transportChecks(baseUrl),
      ...(clockMs === null ? [] : [clock('clock', clockMs, 'the system')]),
      ...(await readinessChecks(baseUrl)),
      ...(await publicChecks(baseUrl)),
    ],
  };
}

function transportChecks(baseUrl: string): Check[] {
  const { protocol, hostname } = new URL(baseUrl);
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return protocol === 'https:' || isHere
    ? []
    : [
        failed(
          'gateway',
          'Keys are sent over the network without encryption.',
          'Put a proxy with TLS before the gateway and use its https address.',
        ),
      ];
}

async function readinessChecks(baseUrl: string): Promise<Check[]> {
  const part = 'services';
  try {
    const answer = await get(`${baseUrl}/readyz`);
    const parsed = routes.readyz.responses[200].schema.safeParse(await answer.json());
    if (!parsed.success)
      return [failed(part, '/readyz answers something unknown.', 'Is al as new as the system?')];
    const { ready, missing, degraded, reasons } = parsed.data;
    if (ready) return [ok(part, 'Every service and backend answers, keeps up and stores.')];
    return missing.map((name, i) => {
      const why = safeText(reasons[i] ?? `${name} is not ready`);
      return degraded.includes(name)
        ? warning(
            part,
            `${safeText(name)}: ${why}.`,
            'It answers; wait a minute and look at its log if that stays.',
          )
        : failed(
            part,
            `${safeText(name)}: ${why}.`,
            `Look at the log of ${safeText(name)}; the supervisor starts a service again that died.`,
          );
    });
  } catch (error) {
    return [
      failed(
        part,
        `/readyz does not answer (${safeText(reasonOf(error))}).`,
        'Look at the log of the gateway.',
      ),
    ];
  }
}

async function publicChecks(baseUrl: string): Promise<Check[]> {
  const documentAt = async (path: string): Promise<unknown> => {
    const answer = await get(baseUrl + path);
    return answer.ok ? await answer.json() : null;
  };
  try {
    const [document, keys] = await Promise.all([
      documentAt('/api/v1/openapi.json'),
      documentAt('/.well-known/jwks.json'),
    ]);
    const paths = (document as { paths?: Record<string, Record<string, unknown>> } | null)?.paths ?? {};
    const known: readonly Route[] = Object.values(routes);
    const missing = known.filter(({ method, path }) => paths[path]?.[method.toLowerCase()] === undefined);
    const published = (keys as { keys?: unknown[] } | null)?.keys?.length ?? 0;
    return [
      missing.length === 0
        ? ok('version', 'The system has every route that this version of al knows.')
        : warning(
            'version',
            `The system lacks ${String(missing.length)} routes that this version of al knows, such as ${missing[0]?.path ?? ''}.`,
            'Use the version of al that belongs to the system, or update the system.',
          ),
      published >= 2
        ? ok('keys', `${String(published)} keys that sign grants are published.`)
        : failed(
            'keys',
            `${String(published)} of 2 keys that sign grants are published: gates stay shut.`,
            'The approval-service and the audit-ledger each publish one; look at their logs.',
          ),
    ];
  } catch (error) {
    return [
      failed(
        'version',
        `The public documents cannot be read (${safeText(reasonOf(error))}).`,
        'Look at the log of the gateway.',
      ),
    ];
  }
}

/** What the key of the caller can see. */
export async function checkWithKey(api: Api, sendTests: boolean): Promise<Check[]> {
  const me = await api.call(routes.whoami).catch((error: unknown) => {
    if (error instanceof Failure) return error;
    throw error;
  });
  if (me instanceof Failure)
    return [
      failed(
        'key',
        safeText(me.message.split('\n')[0] ?? ''),
        'Set AL_API_KEY to a key that is in force; an administrator makes one: al keys create.',
      ),
    ];
  const name = safeText(me.name);
  if (me.kind !== 'operator')
    return [
      me.cb_state === 'open'
        ? failed(
            'key',
            `AL_API_KEY is the key of the agent ${name}, which is suspended.`,
            'An administrator resumes it: al agents resume.',
          )
        : warning(
            'key',
            `AL_API_KEY is in force, of the ${me.kind} ${name}; it cannot see people, keys and channels.`,
            'Use an operator’s key to check those as well.',
          ),
    ];
  const parts = await Promise.all(
    [
      checkPeople(api),
      me.role === 'admin' ? checkKeys(api) : [],
      checkChannels(api, sendTests && me.role === 'admin'),
      checkLog(api),
    ].map((part) => Promise.resolve(part).catch((error: unknown) => [asFailed(error)])),
  );
  return [ok('key', `AL_API_KEY is in force, of ${name}, role ${me.role ?? ''}.`), ...parts.flat()];
}

const asFailed = (error: unknown) =>
  failed(
    'system',
    `A check could not be made (${safeText(reasonOf(error))}).`,
    'Try again; if it stays, look at the log of the gateway.',
  );

async function checkPeople(api: Api): Promise<Check[]> {
  const { items } = await firstOf(Number.POSITIVE_INFINITY, readMembers({ api }));
  const deciding = items.filter(({ role, status }) => status === 'active' && role !== 'viewer').length;
  return deciding === 0
    ? [
        failed(
          'people',
          'Nobody can decide a request.',
          'Invite someone: al members invite EMAIL --name NAME --role member.',
        ),
      ]
    : [ok('people', `${String(deciding)} of ${String(items.length)} members can decide requests.`)];
}

async function checkKeys(api: Api): Promise<Check[]> {
  const now = Date.now();
  const { items } = await firstOf(Number.POSITIVE_INFINITY, readKeys({ api }));
  const standing = items.filter((key) => keyStatus(key, now) === 'active');
  const ending = standing.filter(
    ({ expires_at }) => expires_at !== null && Date.parse(expires_at) - now < expiresSoonMs,
  );
  if (ending.length === 0)
    return [ok('keys', `None of the ${String(standing.length)} keys in force ends within two weeks.`)];
  return ending.map(({ id, name, expires_at }) =>
    warning(
      'keys',
      `The key ${safeText(name)} (${id}) ends in ${spanText(Date.parse(expires_at ?? '') - now)}.`,
      `al keys rotate ${id}, and give the new key to what uses it.`,
    ),
  );
}

async function checkChannels(api: Api, sendTests: boolean): Promise<Check[]> {
  const part = 'channels';
  const { items } = await firstOf(Number.POSITIVE_INFINITY, readChannels({ api }));
  const { deliveries } = await api.call(routes.listDeliveries, { query: { status: 'dead', limit: 200 } });
  const enabled = items.filter((channel) => channel.enabled);
  const checks: Check[] = [];
  if (enabled.length === 0)
    checks.push(
      warning(
        part,
        'No channel tells people of requests: they see them only in the dashboard and al.',
        'al channels create NAME --type email --to ADDRESS',
      ),
    );
  for (const { id, name, disabled_reason } of items)
    if (disabled_reason !== null)
      checks.push(
        failed(
          part,
          `${safeText(name)} was disabled by the system (${disabled_reason}).`,
          `Repair the receiver, then enable it and try it: al channels test ${id}.`,
        ),
      );
  if (deliveries.length > 0)
    checks.push(
      warning(
        part,
        `${deliveries.length === 200 ? 'At least 200' : String(deliveries.length)} deliveries did not arrive.`,
        'al deliveries list --status dead shows why; al deliveries redeliver ID sends one again.',
      ),
    );
  if (enabled.length > 0 && !sendTests)
    checks.push(ok(part, `${String(enabled.length)} channels are enabled; --send-tests tries them.`));
  if (sendTests) for (const channel of enabled) checks.push(await tryChannel(api, channel));
  return checks;
}

async function tryChannel(api: Api, { id, name }: { id: string; name: string }): Promise<Check> {
  const { outcome, error, duration_ms } = await api.call(routes.testChannel, {
    params: { channel_id: id },
    body: '{}',
    repeatable: false,
    holdMs: 30_000,
  });
  const part = 'channels';
  if (outcome === 'delivered') return ok(part, `${safeText(name)} took a test in ${String(duration_ms)} ms.`);
  return outcome === 'kept'
    ? warning(part, `${safeText(name)}: the mail was kept and not sent.`, 'Set SMTP_URL for the notifier.')
    : failed(
        part,
        `${safeText(name)} did not take a test (${safeText(error ?? '')}).`,
        `al channels test ${id} shows the request and the answer.`,
      );
}

async function checkLog(api: Api): Promise<Check[]> {
  const { chain_valid, verified_through_row, reason, first_broken_at_seq } = await api.call(
    routes.verifyAudit,
  );
  return chain_valid
    ? [ok('audit log', `The last check found ${String(verified_through_row)} entries intact.`)]
    : [
        failed(
          'audit log',
          `The log is damaged at entry ${String(first_broken_at_seq ?? '?')} (${safeText(reason ?? '')}).`,
          'Keep the database as it is, export the log (al audit export FILE) and compare it with earlier exports and checkpoints.',
        ),
      ];
}
