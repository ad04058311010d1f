import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventStreamName, eventStreamProbeSubject } from '@agentlattice/contracts';
import { jetstream, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { errorCode, errorText } from '../error-text.js';
import { connectNats } from './nats-client.js';

export interface StoreWatchOptions {
  /** The administrator's. */
  readonly url: string;
  readonly storeDir: string;
  /** Asks the server to end; it is started again by its supervision. */
  readonly restart: () => void;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
  /** Default 2 s. */
  readonly everyMs?: number;
  /** The first restart is at most this long after another; each that does not help doubles it. Default 30 s. */
  readonly restartEveryMs?: number;
}

/** `unknown`: nothing answers, or there is nothing to store in; both are no fault that a restart mends. */
type Finding = 'stores' | 'unknown' | { readonly refuses: string };

const withinMs = 2_000;
/** While it stores, so many pauses lie between two looks; the ledger, which refuses submissions, looks more often. */
const storingPauses = 3;
/** One write that fails may be a slow disk. */
const failuresUntilRestart = 3;
const longestMs = 600_000;
/** A server that was given less would be full again at once. */
const neededBytes = 4 * 1024 * 1024;

/**
 * Restarts a NATS that answers but does not store. Once a write failed because the disk was full, the server (2.15) takes
 * nothing more into that stream even when there is space again; it still answers every question about it, and stores
 * in others. So something is stored in the event stream itself. While there is no space a restart would not help and is
 * not tried. Nothing is lost: what was not acknowledged is published again by the relays.
 */
export async function watchStore(options: StoreWatchOptions): Promise<void> {
  const { signal, print, restart, everyMs = 2_000, restartEveryMs = 30_000 } = options;
  let failures = 0;
  let waitMs = restartEveryMs;
  let notBefore = 0;
  let reportedFull = false;
  let pauseMs = everyMs;
  const looking = new StoreLook(options.url);
  signal.addEventListener('abort', () => void looking.close(), { once: true });
  while (!signal.aborted) {
    await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    const found = await looking.look();
    pauseMs = found === 'stores' ? storingPauses * everyMs : everyMs;
    if (found === 'unknown') continue;
    if (found === 'stores') {
      if (failures >= failuresUntilRestart) print('nats | stores again');
      failures = 0;
      reportedFull = false;
      if (performance.now() > notBefore) waitMs = restartEveryMs;
      continue;
    }
    failures += 1;
    if (failures < failuresUntilRestart || performance.now() < notBefore) continue;
    const full = await noSpaceIn(options.storeDir);
    if (full !== undefined) {
      if (!reportedFull) print(`nats | ERROR: the event stream refuses writes (${found.refuses}): ${full}`);
      reportedFull = true;
      continue;
    }
    print(`nats | ERROR: the event stream refuses writes (${found.refuses}); restarting it`);
    notBefore = performance.now() + waitMs;
    waitMs = Math.min(waitMs * 2, longestMs);
    if (!signal.aborted) restart();
  }
}

/** Keeps its connection from one look to the next: to open one costs the server more than all that is asked. */
class StoreLook {
  private nc: NatsConnection | undefined;

  constructor(private readonly url: string) {}

  async look(): Promise<Finding> {
    try {
      if (this.nc === undefined || this.nc.isClosed()) this.nc = await connectNats(this.url);
      return await storesInEventStream(this.nc);
    } catch {
      await this.close();
      return 'unknown';
    }
  }

  async close(): Promise<void> {
    const { nc } = this;
    this.nc = undefined;
    await nc?.close().catch(() => undefined);
  }
}

async function storesInEventStream(nc: NatsConnection): Promise<Finding> {
  try {
    const manager = await jetstreamManager(nc, { checkAPI: false, timeout: withinMs });
    const { config } = await manager.streams.info(eventStreamName);
    // Not yet brought up to date by the ledger: a probe would stay in it for days.
    if (config.allow_msg_ttl !== true) return 'unknown';
    await jetstream(nc, { timeout: withinMs }).publish(eventStreamProbeSubject, '{}', {
      timeout: withinMs,
      ttl: '1m',
    });
    return 'stores';
  } catch (error) {
    // There is no stream yet.
    if (error instanceof JetStreamApiError && error.status === 404) return 'unknown';
    return nc.isClosed() ? 'unknown' : { refuses: errorText(error) };
  }
}

/** Why nothing can be written there, as a text; undefined when it can. It is found out by writing: quotas do not show otherwise. */
async function noSpaceIn(dir: string): Promise<string | undefined> {
  const path = join(dir, '.space-probe');
  try {
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile(Buffer.alloc(neededBytes, 1));
      await file.sync();
    } finally {
      await file.close();
    }
    return undefined;
  } catch (error) {
    return `nothing can be written to ${dir} (${errorCode(error) ?? errorText(error)}); it is restarted once that is possible`;
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}
