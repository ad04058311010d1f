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
  /** Asks the server to end; its supervision restarts it. */
  readonly restart: () => void;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
  /** Default 2 s. */
  readonly everyMs?: number;
  /** The shortest time between two restarts; each restart without effect doubles it. Default 30 s. */
  readonly restartEveryMs?: number;
}

/** `unknown`: the server does not answer, or there is no stream yet; a restart repairs neither. */
type Finding = 'stores' | 'unknown' | { readonly refuses: string };

const withinMs = 2_000;
/** The pauses between two probes while the server stores. The ledger, which refuses submissions, probes more often. */
const storingPauses = 3;
/** One failed write may be a slow disk. */
const failuresUntilRestart = 3;
const longestMs = 600_000;
/** With less free space a restarted server would be full again at once. */
const neededBytes = 4 * 1024 * 1024;

/**
 * Restarts a NATS that answers but does not store. After a write failed because the disk was full, the server (2.15) stores nothing more
 * in that stream even when there is space again; it still answers all queries about it, and stores in other streams. So the probe is a
 * write to the event stream itself. While there is no space, it is not restarted. No event is lost: the relays publish every message
 * again that was not acknowledged.
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

/** Keeps its connection between probes, because opening one costs the server more than the probe. */
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
    // The ledger has not updated this stream yet: a probe would stay in it for days.
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

/** The reason why the directory cannot be written to; undefined when it can. Found by writing, because quotas show only then. */
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
