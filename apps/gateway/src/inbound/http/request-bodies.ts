import type { Readable } from 'node:stream';
import { Refused, Unavailable } from '@agentlattice/contracts';
import { scanJson } from '../../domain/json-scan.js';
import { BodyBudget, memoryOf } from './body-budget.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { costOf, LargeBodies, largeBodyCost } from './large-bodies.js';
import { parseStrictly } from './strict-json.js';

export const bodyLimit = 256 * 1024;
/** Smaller bodies are not counted while they arrive. */
const smallBytes = 16 * 1024;

/**
 * The bodies of incoming requests. Their memory is counted from the first byte until the answer, and a large body is parsed when
 * it is its workspace's turn. A turn begins when the body is complete, so a slow sender does not delay others.
 */
export class RequestBodies {
  constructor(
    private readonly budget = new BodyBudget(),
    private readonly largeBodies = new LargeBodies(),
  ) {}

  /** Gives the memory back once, when the request ends for any reason. */
  watch(request: GatewayRequest, reply: GatewayReply): void {
    reply.raw.once('close', () => {
      request.isOver = true;
      request.endLargeBody?.();
      this.budget.giveBack(request.bodyMemory ?? 0, request.orgId);
    });
  }

  /**
   * To be called before the body arrives.
   * @throws Unavailable when the memory for bodies is used up
   */
  receive(request: GatewayRequest, payload: Readable): void {
    const { 'content-length': announced, 'transfer-encoding': coding } = request.headers;
    if (announced !== undefined && Number(announced) > smallBytes && Number(announced) <= bodyLimit)
      this.take(request, Number(announced));
    // The length is not announced, so arriving bytes are counted.
    if (coding !== undefined)
      payload.on('data', (chunk: Buffer) => {
        try {
          this.take(request, chunk.length);
        } catch {
          request.raw.destroy();
        }
      });
  }

  /**
   * The value of a complete body.
   * @throws Refused UNSUPPORTED_MEDIA_TYPE, INVALID_JSON or INVALID_JSON_VALUE
   * @throws Unavailable when the workspace's other large bodies, or those of all, leave no room
   */
  async read(request: GatewayRequest, body: Buffer): Promise<unknown> {
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
      throw new Refused('UNSUPPORTED_MEDIA_TYPE', 'the body must not be compressed');
    const scan = scanJson(body);
    const cost = costOf(body.length, scan);
    if (cost > largeBodyCost && request.orgId !== undefined) {
      const end = await this.largeBodies.turn(request.orgId, cost);
      request.endLargeBody = end;
      if (request.isOver === true) {
        end();
        throw new Unavailable('the client has gone');
      }
    }
    // From here on it takes more than its bytes.
    this.take(request, memoryOf(body.length, scan) - (request.bodyMemory ?? 0));
    return parseStrictly(body, scan);
  }

  private take(request: GatewayRequest, bytes: number): void {
    if (request.isOver === true || bytes <= 0) return;
    this.budget.take(bytes, request.orgId);
    request.bodyMemory = (request.bodyMemory ?? 0) + bytes;
  }
}
