import { readdirSync, readFileSync } from 'node:fs';
import { statefulServices } from '@settler/contracts/services';
import { describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';
import { brokerAccountsFile, committedBrokerAccounts, writeCommand } from '../deployment/broker-accounts.ts';
import { composeVariables } from '../deployment/compose.ts';
import { newInstallationSecrets } from '../supervisor/secrets.ts';
import { readComposeFile } from './deployment/compose-file.ts';
import { secrets } from './deployment/pods.ts';

const importPattern = /^(?:import|export)\s+(?<type>type\s)?[^'"]*from\s+['"](?<from>[^'"]+)['"]/gm;

describe('the image of provision', () => {
  it('has what the migrations of every service import', () => {
    const { dependencies } = JSON.parse(readFileSync(`${root}packages/provision/package.json`, 'utf8')) as { dependencies: object };
    const known = Object.keys(dependencies);
    for (const service of statefulServices) {
      const folder = `${root}services/${service}/migrations`;
      const files = readdirSync(folder);
      expect(files).not.toEqual([]);
      for (const file of files) {
        const imports = [...readFileSync(`${folder}/${file}`, 'utf8').matchAll(importPattern)].filter(({ groups }) => !groups?.['type']);
        expect(imports).not.toEqual([]);
        // A migration is copied alone: of its service's own files, and of packages that only the service has, there is none in the image.
        const missing = imports
          .map(({ groups }) => groups?.['from'] ?? '')
          .filter((from) => !known.some((name) => from.startsWith(`${name}/`)));
        expect(missing, `${service}/${file}`).toEqual([]);
      }
    }
  });
});

describe('deploy/nats/accounts.conf', () => {
  it('says what the contracts say', () => {
    expect(committedBrokerAccounts(), `It is written by: ${writeCommand}`).toBe(brokerAccountsFile());
  });

  it('asks for passwords that compose and the Secrets for Kubernetes give, in quotes', () => {
    const asked = (committedBrokerAccounts().match(/\$NATS_[A-Z]+_PASSWORD/g) ?? []).map((variable) => variable.slice(1));
    expect(asked).toHaveLength(statefulServices.length + 1);
    const compose = readComposeFile(composeVariables(newInstallationSecrets())).services['nats']?.environment ?? {};
    for (const given of [compose, secrets.get('settler-broker') ?? {}]) {
      expect(Object.keys(given).sort()).toEqual([...asked].sort());
      for (const value of Object.values(given)) expect(value).toMatch(/^"[\w-]{32}"$/);
    }
  });
});

describe('what images are built from', () => {
  it('holds no secrets and nothing that a machine has added', () => {
    const ignored = readFileSync(`${root}.dockerignore`, 'utf8').split('\n');
    for (const pattern of ['**/node_modules', '**/dist', '**/.env', '.git', '.settler']) expect(ignored).toContain(pattern);
  });
});
