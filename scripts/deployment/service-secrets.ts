/** Which secrets each service of an installation is given: the same as under `npm start`, picked from the same table. */
import type { Service, StatefulService } from '@settler/contracts/services';
import { type Environment, serviceEnvironment } from '@settler/local/services/environment';
import type { ServiceSecrets } from '@settler/local/services/secrets';

const names = [
  'SERVICE_SIGNING_KEY',
  // Not secret, but made together with the private halves and useless without them.
  'SERVICE_PUBLIC_KEYS',
  'API_KEY_SECRET',
  'IDENTITY_SECRET',
  'ENCRYPTION_KEY',
  'DB_APP_PASSWORD',
  'DB_SYSTEM_PASSWORD',
];

export const brokerAccount = 'settler';

export const brokerUrl = (user: StatefulService | 'admin', password: string, address: string): string =>
  `nats://${brokerAccount}_${user}:${password}@${address}`;

/** Without the broker's address, which is a question of the place. */
export const secretsOf = (service: Service, secrets: ServiceSecrets): Environment => {
  const all = serviceEnvironment(service, {
    name: 'settler',
    secrets,
    // Where things are does not matter here: only secrets are picked.
    postgres: { host: '', port: 0 },
    brokerUrl: () => '',
    ports: { gateway: 0, identity: 0, jobs: 0, executions: 0, webhooks: 0 },
    ownPorts: [],
    settings: {},
  });
  return Object.fromEntries(names.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
};
