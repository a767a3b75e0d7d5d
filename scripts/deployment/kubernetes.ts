/** The Secrets that deploy/k8s refers to, one per program, so that none is given another's. */
import { type Service, services, statefulServices } from '@settler/contracts/services';
import type { InstallationSecrets } from '../supervisor/secrets.ts';
import { brokerUrl, secretsOf } from './service-secrets.ts';

export interface Secret {
  readonly apiVersion: 'v1';
  readonly kind: 'Secret';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly type: 'Opaque';
  readonly stringData: Readonly<Record<string, string>>;
}

const secret = (name: string, stringData: Secret['stringData']): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, labels: { 'app.kubernetes.io/part-of': 'settler' } },
  type: 'Opaque',
  stringData,
});

/** @param brokerAddress where NATS answers inside the cluster: `settler-nats:4222`. */
export const kubernetesSecrets = (secrets: InstallationSecrets, brokerAddress: string): Secret[] => {
  const brokerOf = (service: Service) =>
    service === 'gateway'
      ? {}
      : { [`NATS_${service.toUpperCase()}_URL`]: brokerUrl(service, secrets.passwords[service].broker, brokerAddress) };
  const rolePasswords = statefulServices.flatMap((service) => [
    [`${service.toUpperCase()}_DB_APP_PASSWORD`, secrets.passwords[service].app],
    [`${service.toUpperCase()}_DB_SYSTEM_PASSWORD`, secrets.passwords[service].system],
  ]);
  // nats-server reads what a variable holds as configuration: unquoted, a password that begins with a dash is a malformed number.
  const quoted = (password: string) => JSON.stringify(password);
  return [
    ...services.map((service) => secret(`settler-${service}`, { ...secretsOf(service, secrets), ...brokerOf(service) })),
    secret('settler-provision', {
      NATS_URL: brokerUrl('admin', secrets.brokerAdminPassword, brokerAddress),
      ...Object.fromEntries(rolePasswords),
    }),
    secret('settler-broker', {
      NATS_ADMIN_PASSWORD: quoted(secrets.brokerAdminPassword),
      ...Object.fromEntries(
        statefulServices.map((service) => [`NATS_${service.toUpperCase()}_PASSWORD`, quoted(secrets.passwords[service].broker)]),
      ),
    }),
  ];
};

/** For `kubectl apply -f -`, or for whatever seals it before it is stored. */
export const kubernetesManifest = (secrets: InstallationSecrets, brokerAddress: string): string =>
  `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: kubernetesSecrets(secrets, brokerAddress) }, null, 2)}\n`;
