/** The variables that docker-compose.yml wants, as the text of its `.env`. */
import { services, statefulServices } from '@settler/contracts/services';
import type { InstallationSecrets } from '../supervisor/secrets.ts';
import { secretsOf } from './service-secrets.ts';

export const composeVariables = (secrets: InstallationSecrets): Readonly<Record<string, string>> => {
  const { IDENTITY_SECRET = '', API_KEY_SECRET = '', ENCRYPTION_KEY = '', SERVICE_PUBLIC_KEYS = '' } = secretsOf('identity', secrets);
  return {
    POSTGRES_PASSWORD: secrets.postgresPassword,
    NATS_ADMIN_PASSWORD: secrets.brokerAdminPassword,
    IDENTITY_SECRET,
    API_KEY_SECRET,
    ENCRYPTION_KEY,
    SERVICE_PUBLIC_KEYS,
    ...Object.fromEntries(services.map((service) => [`${service.toUpperCase()}_SIGNING_KEY`, secrets.signingKeys[service].privateKey])),
    ...Object.fromEntries(
      statefulServices.flatMap((service) => {
        const { app, system, broker } = secrets.passwords[service];
        const name = service.toUpperCase();
        return [
          [`${name}_DB_APP_PASSWORD`, app],
          [`${name}_DB_SYSTEM_PASSWORD`, system],
          [`NATS_${name}_PASSWORD`, broker],
        ];
      }),
    ),
  };
};

export const composeEnvironmentFile = (secrets: InstallationSecrets): string =>
  [
    '# The secrets of this installation. Keep a copy somewhere safe: without them what is encrypted in its databases cannot be read.',
    ...Object.entries(composeVariables(secrets)).map(([name, value]) => `${name}=${value}`),
    '',
  ].join('\n');
