/** `npm run operate -- SERVICE COMMAND`: what an operator does beside a running `npm start`, with the settings of that service. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { type Service, services, statefulServices } from '@settler/contracts/services';
import { serviceEnvironment } from '@settler/local/services/environment';
import { inCheckout } from '@settler/local/services/launch';
import { root } from './check/command.ts';
import { keyMarksOf, requireSameKeys } from './supervisor/encryption-keys.ts';
import { runningKeys, runningPorts } from './supervisor/process-list.ts';
import { loadSecrets } from './supervisor/secrets.ts';
import { addressesOf } from './supervisor/servers.ts';
import { readSettings, startDefaults } from './supervisor/settings.ts';

const [name = '', ...command] = process.argv.slice(2);
const service = statefulServices.find((one) => one === name);

const environmentOfService = (chosen: Service) => {
  const settings = readSettings(process.env);
  const data = resolve(root, settings.SETTLER_DATA_DIR);
  const processes = join(data, 'processes.json');
  const running = runningPorts(processes);
  if (!services.every((one) => running.has(one))) throw new Error(`Settler is not running with ${data}: npm start it first.`);
  const port = (process_: string): number => running.get(process_) ?? 0;
  const secrets = loadSecrets(join(data, 'secrets.json'));
  const environment = serviceEnvironment(chosen, {
    name: settings.DB_NAME,
    secrets: { ...secrets, ...(settings.ENCRYPTION_KEY === undefined ? {} : { encryptionKey: settings.ENCRYPTION_KEY }) },
    ...addressesOf(settings, secrets, { postgres: port('postgres'), nats: port('nats') }),
    ports: Object.fromEntries(services.map((one) => [one, port(one)])) as Record<Service, number>,
    ownPorts: [...running.values()],
    settings: { ...startDefaults, ...settings.passedOn },
  });
  const [keys, own] = [runningKeys(processes, chosen), environment['ENCRYPTION_KEY']];
  if (keys !== undefined && own !== undefined) requireSameKeys(chosen, keys, keyMarksOf(own));
  return environment;
};

try {
  if (service === undefined) {
    const unknown = name === '' || name.startsWith('-') ? '' : `${name} is no service that can be operated. `;
    throw new Error(`${unknown}Say of which service: npm run operate -- ${statefulServices.join('|')} --help`);
  }
  const program = inCheckout(`services/${service}/src/operate.ts`);
  const { status } = spawnSync(process.execPath, ['--conditions=@settler/source', program, ...command], {
    env: {
      NODE_COMPILE_CACHE: inCheckout('node_modules/.cache/services'),
      ...process.env,
      ...(command.length === 0 || command.includes('--help') ? {} : environmentOfService(service)),
    },
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
