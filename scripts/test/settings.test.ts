import { ConfigurationError } from '@settler/chassis/config';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../supervisor/settings.ts';
import { worthShowing } from '../supervisor/terminal.ts';

describe('the settings of npm start', () => {
  it('have defaults', () => {
    expect(readSettings({})).toMatchObject({
      PORT: 3000,
      SETTLER_DATA_DIR: '.settler',
      SETTLER_DEMO: '1',
      DB_NAME: 'settler',
      passedOn: {},
    });
    expect(readSettings({ PORT: '', DB_HOST: '' })).toMatchObject({ PORT: 3000 });
  });

  it('are refused all at once, without their values', () => {
    const read = () => readSettings({ PORT: 'secret', SETTLER_DEMO: 'secret', DB_PORT: '70000' });
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(/PORT[\s\S]*SETTLER_DEMO[\s\S]*DB_PORT|SETTLER_DEMO[\s\S]*PORT/);
    expect(read).not.toThrow(/secret/);
  });

  it('are refused before anything is started where a service would refuse them', () => {
    const names = {
      RATE_LIMIT_DEFAULT: '-1',
      TRUSTED_PROXIES: 'secret',
      ENCRYPTION_KEY: 'secret',
      DB_SSL: 'secret',
      SMTP_URL: 'ftp://secret',
      WORKER_SLOTS: '0',
      ADDRESS_GUARD_ALLOW: 'secret',
      CORS_ORIGINS: 'secret',
    };
    const read = () => readSettings({ ...names, PORT: '70000' });
    for (const name of [...Object.keys(names), 'PORT: must be a whole number from 0 to 65535\n']) expect(read).toThrow(`  ${name}`);
    expect(read).not.toThrow(/secret/);
  });

  it('pass on what services are told, and nothing else', () => {
    const environment = {
      REDIS_URL: 'redis://r',
      RATE_LIMIT_DEFAULT: '5',
      LOG_LEVEL: '',
      HOME: '/root',
      AWS_SECRET_ACCESS_KEY: 'x',
      NATS_JOBS_URL: 'nats://j',
    };
    const { passedOn, brokerUrls } = readSettings(environment);
    expect(passedOn).toEqual({ REDIS_URL: 'redis://r', RATE_LIMIT_DEFAULT: '5' });
    expect(brokerUrls).toEqual({ NATS_JOBS_URL: 'nats://j' });
  });
});

describe('the terminal', () => {
  it('shows what went wrong and nothing else', () => {
    expect(worthShowing('{"level":"info","msg":"listening"}')).toBeUndefined();
    expect(worthShowing('{"level":"error","msg":"a request failed"}')).toBe('a request failed');
    expect(worthShowing('FATAL ERROR: heap out of memory')).toBe('FATAL ERROR: heap out of memory');
  });
});
