import { existsSync, readFileSync } from 'node:fs';
import { services, statefulServices } from '@settler/contracts/services';
import { describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';
import { composeEnvironmentFile, composeVariables } from '../deployment/compose.ts';
import { newInstallationSecrets } from '../supervisor/secrets.ts';
import { composeVariablesWanted, readComposeFile } from './deployment/compose-file.ts';
import { configure, imageNames, settingsOf, unknownTo } from './deployment/programs.ts';

const secrets = newInstallationSecrets();
const variables = composeVariables(secrets);
const file = readComposeFile(variables);

/** What the image says, what one machine needs no other way, and what only times the inside. */
const leftAlone = [
  ...['HOST', 'PORT', 'ROLE', 'DB_SSL', 'DRAIN_TIMEOUT_MS', 'UNREADY_MS', 'BREAKER_OPEN_MS', 'REVOCATION_POLL_MS', 'REVOCATION_FRESH_MS'],
  ...['CONSUMER_ATTEMPTS_MAX', 'CONSUMER_RETRY_MS', 'RELAY_LEASE_MS', 'RELAY_POLL_MS', 'LEASE_MS', 'LEASE_RENEW_MS', 'SWEEP_MS'],
  ...['MAIL_RETRY_MS', 'DENIED_LOGINS_AUDIT_MS', 'ERASURE_RETRY_MS', 'REFRESH_GRACE_MS', 'SCHEDULE_TICK_MS'],
  ...['DELIVERY_CLAIM_MARGIN_MS', 'DELIVERY_POLL_MS'],
];

describe('docker-compose.yml', () => {
  it('asks for the secrets that `npm run secrets -- compose` writes, all of them and no others', () => {
    const required = composeVariablesWanted().flatMap(({ name, isRequired }) => (isRequired ? [name] : []));
    expect(required.sort()).toEqual(Object.keys(variables).sort());
    expect(composeEnvironmentFile(secrets).match(/^[A-Z0-9_]+=.+$/gm)).toHaveLength(required.length);
  });

  it.each(imageNames)('gives %s every setting that it requires, and none that it does not know', (program) => {
    const environment = file.services[program]?.environment ?? {};
    expect(() => configure(program, environment)).not.toThrow();
    expect(unknownTo(program, Object.keys(environment))).toEqual([]);
  });

  it('gives every setting that an operator has a use for, so that `.env` may say it', () => {
    const given = (service: (typeof services)[number]) => Object.keys(file.services[service]?.environment ?? {});
    const left = services.flatMap((service) => settingsOf(service).filter((name) => !given(service).includes(name)));
    expect([...new Set(left)].sort()).toEqual([...leftAlone].sort());
  });

  it('gives each service the credentials of its own, and the broker and PostgreSQL the same ones', () => {
    for (const service of statefulServices) {
      const environment: Readonly<Record<string, unknown>> = file.services[service]?.environment ?? {};
      const { app, system, broker } = secrets.passwords[service];
      expect(environment).toMatchObject({ DB_APP_PASSWORD: app, DB_SYSTEM_PASSWORD: system });
      expect(environment['NATS_URL']).toBe(`nats://settler_${service}:${broker}@nats:4222`);
      // With the quotes that keep nats-server from reading a number or a date into it.
      expect(file.services['nats']?.environment[`NATS_${service.toUpperCase()}_PASSWORD`]).toBe(`"${broker}"`);
      expect(file.services['provision']?.environment).toMatchObject({ [`${service.toUpperCase()}_DB_APP_PASSWORD`]: app });
    }
    for (const service of services) {
      expect(file.services[service]?.environment['SERVICE_SIGNING_KEY']).toBe(secrets.signingKeys[service].privateKey);
    }
  });

  it('builds every image from the one Dockerfile', () => {
    for (const name of imageNames) {
      expect(file.services[name]).toMatchObject({
        image: `settler/${name}:local`,
        build: { dockerfile: 'deploy/Dockerfile', args: { SERVICE: name } },
      });
      const folder = name === 'provision' ? 'packages' : 'services';
      const { scripts } = JSON.parse(readFileSync(`${root}${folder}/${name}/package.json`, 'utf8')) as { scripts: { start: string } };
      expect(scripts.start).toBe('node --enable-source-maps dist/src/main.js');
      expect(existsSync(`${root}${folder}/${name}/src/main.ts`)).toBe(true);
    }
  });

  it('publishes the gateway alone, which cannot reach the stores, as the stores cannot reach the world', () => {
    const published = Object.entries(file.services).filter(([, { ports }]) => ports.length > 0);
    expect(published.map(([name, { ports }]) => [name, ports])).toEqual([['gateway', ['127.0.0.1:3000:3000']]]);
    expect(file.services['gateway']?.networks).toEqual(['services']);
    for (const name of ['postgres', 'nats', 'provision']) expect(file.services[name]?.networks).toEqual(['stores']);
    expect(file.networks).toMatchObject({ stores: { internal: true }, services: { internal: false } });
  });

  it('keeps 100 MB of what each container writes, so that no disk fills up with it', () => {
    for (const [name, { logging }] of Object.entries(file.services))
      expect(logging, name).toEqual({ driver: 'json-file', options: { 'max-size': '20m', 'max-file': '5' } });
  });

  it('runs what is ours without privileges and on a file system that cannot be written', () => {
    for (const name of imageNames) {
      expect(file.services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    }
  });

  it('starts in order: servers, provision, services, gateway', () => {
    expect(file.services['provision']?.depends_on).toEqual({
      postgres: { condition: 'service_healthy' },
      nats: { condition: 'service_healthy' },
    });
    for (const service of statefulServices) {
      expect(file.services[service]?.depends_on).toEqual({ provision: { condition: 'service_completed_successfully' } });
      expect(file.services['gateway']?.depends_on[service]).toEqual({ condition: 'service_healthy' });
    }
  });
});
