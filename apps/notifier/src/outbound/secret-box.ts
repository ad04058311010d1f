import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/**
 * Encrypts secrets, so that the database alone does not reveal them: AES-256-GCM with a key from the environment. A secret is bound to
 * its owner: copied to another row it cannot be opened.
 */
export class SecretBox {
  private readonly key: Buffer;
  private readonly others: readonly Buffer[];

  /** @param others open what was sealed with them, while one key takes the place of another */
  constructor(secret: string, others: readonly string[] = []) {
    this.key = keyOf(secret);
    this.others = others.map(keyOf);
  }

  seal(secret: string, owner: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.key, iv).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return ['v1', iv, sealed, cipher.getAuthTag()]
      .map((part) => (typeof part === 'string' ? part : part.toString('base64url')))
      .join('.');
  }

  /** @throws when the key is another one or the value was changed */
  open(value: string, owner: string): string {
    const [version, iv = '', sealed = '', tag = ''] = value.split('.');
    if (version !== 'v1') throw new Error('a channel’s secret is in an unknown form');
    const bytes = (part: string) => Buffer.from(part, 'base64url');
    const openWith = (key: Buffer) => {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes(iv), { authTagLength: 16 });
      decipher.setAAD(Buffer.from(owner)).setAuthTag(bytes(tag));
      return Buffer.concat([decipher.update(bytes(sealed)), decipher.final()]).toString('utf8');
    };
    for (const [i, key] of [this.key, ...this.others].entries())
      try {
        return openWith(key);
      } catch (error) {
        if (i === this.others.length) throw error;
      }
    throw new Error('a channel’s secret was sealed with another key');
  }
}

const keyOf = (secret: string) =>
  createHash('sha256').update('agentlattice channel secrets v1\0').update(secret).digest();

/** A symmetric secret in the notation of Standard Webhooks. */
export const newSigningSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
