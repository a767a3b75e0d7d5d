/** deploy/nats/accounts.conf: who may do what on the broker, for servers that are not started from this checkout. */
import { readFileSync, writeFileSync } from 'node:fs';
import { brokerConfiguration } from '@settler/chassis/broker-configuration';
import { statefulServices } from '@settler/contracts/services';
import { forEach } from '@settler/local/services/secrets';
import { root } from '../check/command.ts';
import { brokerAccount } from './service-secrets.ts';

const file = `${root}deploy/nats/accounts.conf`;
export const writeCommand = 'node --conditions=@settler/source scripts/write-broker-accounts.ts';

/** Passwords are variables, which nats-server reads from its environment; put quotes into their values. */
export const brokerAccountsFile = (): string => {
  const passwords = { admin: '$NATS_ADMIN_PASSWORD', ...forEach(statefulServices, (service) => `$NATS_${service.toUpperCase()}_PASSWORD`) };
  return [
    '# Written from the contracts, never by hand: each service may say and hear what is its own, and nothing else.',
    `# ${writeCommand}`,
    brokerConfiguration({ accounts: [{ name: brokerAccount, passwords }] }),
  ].join('\n');
};

export const committedBrokerAccounts = (): string => readFileSync(file, 'utf8');

export const writeBrokerAccounts = (): void => writeFileSync(file, brokerAccountsFile());
