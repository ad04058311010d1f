import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';

/** A name server for one zone. */
export interface NameServer {
  /** Its address for resolvers. */
  readonly address: string;
  /** The requested names. */
  readonly asked: readonly string[];
  stop(): void;
}

const families: Readonly<Record<number, number>> = { 1: 4, 28: 6 };

/** @param zone addresses of its names; a name without addresses is never answered */
export async function nameServer(zone: Readonly<Record<string, readonly string[]>>): Promise<NameServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const { name, end } = nameIn(query);
    asked.push(name);
    const known = zone[name];
    if (known?.length === 0) return;
    const family = families[query.readUInt16BE(end)];
    const found = known?.filter((given) => isIP(given) === family) ?? [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(known === undefined ? 0x8183 : 0x8180, 2);
    [1, found.length, 0, 0].forEach((count, i) => head.writeUInt16BE(count, 4 + 2 * i));
    socket.send(Buffer.concat([head, query.subarray(12, end + 4), ...found.map(answerOf)]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${String(socket.address().port)}`,
    asked,
    stop: () => void socket.close(),
  };
}

function nameIn(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

/** A record for the requested name, with a time to live of 0. */
function answerOf(address: string): Buffer {
  const data = isIP(address) === 4 ? Buffer.from(address.split('.').map(Number)) : bytesOf(address);
  const head = Buffer.from([0xc0, 0x0c, 0, isIP(address) === 4 ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, data.length]);
  return Buffer.concat([head, data]);
}

/** Supports the two forms that tests use: `::1` and `::ffff:a.b.c.d`. */
function bytesOf(address: string): Buffer {
  const mapped = /^::ffff:([\d.]+)$/.exec(address)?.[1];
  const tail = mapped === undefined ? [0, 0, 0, 0, 0, 1] : [0xff, 0xff, ...mapped.split('.').map(Number)];
  return Buffer.from([...Array<number>(10).fill(0), ...tail]);
}
