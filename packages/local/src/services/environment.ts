/** The environment of each service process: its own secrets and nobody else's, the same under `npm start` and in tests. */
import { type Service, type StatefulService, services } from '@settler/contracts/services';
import type { ServiceSecrets } from './secrets.ts';

export interface Installation {
  /** The prefix of databases and roles. */
  readonly name: string;
  readonly secrets: ServiceSecrets;
  readonly postgres: { readonly host: string; readonly port: number };
  /** With the credentials of that service. */
  readonly brokerUrl: (service: StatefulService) => string;
  readonly ports: Readonly<Record<Service, number>>;
  /** Every port that belongs to Settler, the servers' too: addresses that users give us must never reach them. */
  readonly ownPorts: readonly number[];
  /** Whatever else every service is given, such as LOG_LEVEL; names here win. */
  readonly settings: Readonly<Record<string, string>>;
}

export type Environment = Readonly<Record<string, string>>;

export const serviceUrl = (port: number): string => `http://127.0.0.1:${port}`;

export const serviceEnvironment = (service: Service, installation: Installation): Environment => {
  const { secrets, ports } = installation;
  return {
    HOST: '127.0.0.1',
    PORT: String(ports[service]),
    SERVICE_SIGNING_KEY: secrets.signingKeys[service].privateKey,
    SERVICE_PUBLIC_KEYS: services.map((name) => `${name}:${secrets.signingKeys[name].publicKey}`).join(','),
    ...Object.fromEntries(services.map((name) => [`${name.toUpperCase()}_URL`, serviceUrl(ports[name])])),
    PUBLIC_URL: serviceUrl(ports.gateway),
    OWN_PORTS: installation.ownPorts.join(','),
    ...secretsOf(service, secrets),
    ...(service === 'gateway' ? {} : storesOf(service, installation)),
    ...installation.settings,
  };
};

const storesOf = (service: StatefulService, { name, secrets, postgres, brokerUrl }: Installation): Environment => ({
  DB_HOST: postgres.host,
  DB_PORT: String(postgres.port),
  DB_NAME: name,
  DB_APP_PASSWORD: secrets.passwords[service].app,
  DB_SYSTEM_PASSWORD: secrets.passwords[service].system,
  [`NATS_${service.toUpperCase()}_URL`]: brokerUrl(service),
});

const secretsOf = (service: Service, secrets: ServiceSecrets): Environment => {
  switch (service) {
    case 'gateway':
      return { API_KEY_SECRET: secrets.apiKeySecret };
    case 'identity':
      return { API_KEY_SECRET: secrets.apiKeySecret, IDENTITY_SECRET: secrets.identitySecret, ENCRYPTION_KEY: secrets.encryptionKey };
    case 'jobs':
    case 'executions':
      return {};
    case 'webhooks':
      return { ENCRYPTION_KEY: secrets.encryptionKey };
    default:
      return service satisfies never;
  }
};
