import { ConfigFault, readEnvironment } from '@agentlattice/service';
import { isIP } from 'node:net';
import { z } from 'zod';

const environment = z.object({
  SMTP_URL: z
    .string()
    .refine(
      (text) => URL.canParse(text) && ['smtp:', 'smtps:'].includes(new URL(text).protocol),
      'must be a URL that begins with smtp:// or smtps://',
    )
    .optional(),
  MAIL_FROM: z
    .string()
    .max(320)
    .regex(/^[^\r\n]*[^\s@<>]+@[^\s@<>]+>?$/, 'must be an address, such as Approvals <approvals@example.com>')
    .optional(),
  EGRESS_ALLOW: z.string().default(''),
  AL_PUBLIC_URL: z
    .string()
    .refine(
      (text) => URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol),
      'must be a URL that begins with https:// or http://',
    )
    .transform((text) => text.replace(/\/+$/, '')),
  CHANNEL_SECRETS_KEY: z.string().min(16, 'must have 16 characters at least'),
  CHANNEL_SECRETS_KEY_PREVIOUS: z.string().min(16, 'must have 16 characters at least').optional(),
});

export interface NotifierConfig {
  /** Undefined: mails are kept and not sent. */
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  /** Private networks that webhooks may reach, as CIDRs. */
  readonly egressAllow: readonly string[];
  /** The gateway's address for people, without a slash at the end. */
  readonly publicUrl: string;
  readonly channelSecretsKey: string;
  /** What was sealed with them is opened as well (docs/operations/keys.md). */
  readonly otherChannelSecretsKeys: readonly string[];
}

/** @throws ConfigFault */
export function readNotifierConfig(env: NodeJS.ProcessEnv): NotifierConfig {
  const read = readEnvironment(environment, env);
  const { hostname } = new URL(read.AL_PUBLIC_URL);
  const domain = isIP(hostname.replaceAll(/[[\]]/g, '')) === 0 ? hostname : 'localhost';
  return {
    smtpUrl: read.SMTP_URL,
    mailFrom: read.MAIL_FROM ?? `AgentLattice Approvals <approvals@${domain}>`,
    egressAllow: readNetworks(read.EGRESS_ALLOW),
    publicUrl: read.AL_PUBLIC_URL,
    channelSecretsKey: read.CHANNEL_SECRETS_KEY,
    otherChannelSecretsKeys:
      read.CHANNEL_SECRETS_KEY_PREVIOUS === undefined ? [] : [read.CHANNEL_SECRETS_KEY_PREVIOUS],
  };
}

/** An address counts as a network of its own. */
function readNetworks(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [address = '', bits, ...rest] = part.split('/');
      const family = isIP(address);
      const longest = family === 4 ? 32 : 128;
      const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
      if (family === 0 || rest.length > 0 || !(prefix >= 0 && prefix <= longest))
        throw new ConfigFault(
          `The configuration is wrong: EGRESS_ALLOW must be CIDRs separated by commas; "${part}" is not a CIDR.`,
        );
      return `${address}/${String(prefix)}`;
    });
}
