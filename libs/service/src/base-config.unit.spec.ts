import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigFault, readBaseConfig } from './base-config.js';

const good = {
  AL_INSTANCE: 'a1',
  DATABASE_URL: 'postgresql://al_notifier:pw@127.0.0.1:5432/x',
  NATS_URL: 'nats://notifier:pw@127.0.0.1:4222',
  AL_DATA_DIR: '/data',
  AL_HEALTH_PORT: '8080',
};

describe('the configuration of a service', () => {
  it('is read from the environment; empty counts as unset', () => {
    expect(readBaseConfig('notifier', { ...good, REDIS_URL: '', LOG_LEVEL: '' })).toEqual({
      service: 'notifier',
      instance: 'a1',
      databaseUrl: good.DATABASE_URL,
      natsUrl: good.NATS_URL,
      redisUrl: undefined,
      dataDir: '/data',
      keys: { path: '/data/keys', isGiven: false },
      logLevel: 'info',
      healthPort: 8080,
      healthHost: '127.0.0.1',
    });
  });

  it('names all faults in one sentence, and no value', () => {
    const read = () =>
      readBaseConfig('notifier', { ...good, NATS_URL: undefined, DATABASE_URL: 'http://hunter2@x' });
    expect(read).toThrow(
      'The configuration is wrong: DATABASE_URL must be a URL that begins with postgres:// or postgresql://; NATS_URL is not set.',
    );
    expect(read).toThrow(ConfigFault);
    expect(read).not.toThrow('hunter2');
  });

  it('refuses an address for telemetry that the SDK would only complain of', () =>
    expect(() => readBaseConfig('notifier', { ...good, OTEL_EXPORTER_OTLP_ENDPOINT: 'nonsense' })).toThrow(
      'OTEL_EXPORTER_OTLP_ENDPOINT must be a URL that begins with http:// or https://',
    ));

  it('refuses a share of traces that is none', () =>
    expect(() => readBaseConfig('notifier', { ...good, OTEL_TRACES_SAMPLER_ARG: '5%' })).toThrow(
      'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1',
    ));

  it('refuses an unknown level of the log', () =>
    expect(() => readBaseConfig('notifier', { ...good, LOG_LEVEL: 'loud' })).toThrow(
      'The configuration is wrong: LOG_LEVEL',
    ));

  it('names an instance of its own where none is given, the same at every reading', () => {
    const read = () => readBaseConfig('notifier', { ...good, AL_INSTANCE: undefined }).instance;
    expect(read()).toMatch(/^[a-z0-9]+$/);
    expect(read()).toBe(read());
  });

  it('takes a value from the file of NAME_FILE, and keys from AL_KEYS_DIR', () => {
    const folder = mkdtempSync(join(tmpdir(), 'al-config-'));
    try {
      writeFileSync(join(folder, 'url'), `${good.DATABASE_URL}\n`);
      const env = { ...good, DATABASE_URL: '', AL_KEYS_DIR: '/keys' };
      expect(readBaseConfig('notifier', { ...env, DATABASE_URL_FILE: join(folder, 'url') })).toMatchObject({
        databaseUrl: good.DATABASE_URL,
        keys: { path: '/keys', isGiven: true },
      });
      expect(() => readBaseConfig('notifier', { ...env, DATABASE_URL_FILE: join(folder, 'none') })).toThrow(
        'The configuration is wrong: the file of DATABASE_URL_FILE cannot be read.',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses the environment of another service', () =>
    expect(() => readBaseConfig('notifier', { ...good, AL_SERVICE_NAME: 'gateway' })).toThrow(
      'AL_SERVICE_NAME is gateway',
    ));
});
