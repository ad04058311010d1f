import { Unavailable } from '@agentlattice/contracts';

const openBrace = 0x7b;
const openBracket = 0x5b;
const comma = 0x2c;

/**
 * About what a JSON body takes in memory until it is answered: its text a few times over, and an object or a slot for
 * each value. 256 KiB of `{}` become more than ten megabytes. Commas inside strings count too: rather too much than too little.
 */
export function memoryOf(body: Uint8Array): number {
  let values = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === comma || byte === openBrace || byte === openBracket) values++;
  }
  return 3 * body.length + 80 * values;
}

/**
 * How much memory the bodies of all requests under way may take together. An answer may be held for a minute, and the
 * heap has a limit (deploy/memory.json): whoever comes when it is used up is told 503 instead of ending the process.
 */
export class BodyBudget {
  private used = 0;

  constructor(private readonly most = 96 * 1024 * 1024) {}

  /** @throws Unavailable when too much is under way */
  take(bytes: number): void {
    if (this.used + bytes > this.most) throw new Unavailable('too many large requests are under way');
    this.used += bytes;
  }

  giveBack(bytes: number): void {
    this.used -= bytes;
  }
}
