/**
 * Fresh secrets for an installation in containers. `compose` writes .env, which docker-compose.yml reads; `kubernetes` prints the
 * Secrets that deploy/k8s refers to. Nothing is ever overwritten: with new secrets, what an installation has encrypted is lost.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { root } from './check/command.ts';
import { composeEnvironmentFile } from './deployment/compose.ts';
import { kubernetesManifest } from './deployment/kubernetes.ts';
import { writeWhole } from './supervisor/data-directory.ts';
import { newInstallationSecrets } from './supervisor/secrets.ts';

const usage = `Usage:
  npm run secrets -- compose [--print | --file .env]            writes .env, readable by you alone, or prints it
  npm run --silent secrets -- kubernetes [--broker host:port]   prints Secrets; NATS is at settler-nats:4222 unless said`;

const options = {
  print: { type: 'boolean', default: false },
  file: { type: 'string', default: `${root}.env` },
  broker: { type: 'string', default: 'settler-nats:4222' },
} as const;

const readArguments = () => {
  try {
    const { positionals, values } = parseArgs({ options, allowPositionals: true });
    const [kind] = positionals;
    if (positionals.length === 1 && (kind === 'compose' || kind === 'kubernetes')) return { kind, ...values };
  } catch {
    // What exactly was not understood is less help than what would be.
  }
  throw new Error(usage);
};

const main = (): void => {
  const { kind, print, file, broker } = readArguments();
  const secrets = newInstallationSecrets();
  if (kind === 'kubernetes') {
    process.stdout.write(kubernetesManifest(secrets, broker));
  } else if (print) {
    process.stdout.write(composeEnvironmentFile(secrets));
  } else {
    if (existsSync(file)) throw new Error(`${file} is there already and stays as it is.`);
    writeWhole(file, composeEnvironmentFile(secrets));
    console.log(`Wrote ${file}, readable by you alone. Keep a copy somewhere safe.`);
  }
};

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
