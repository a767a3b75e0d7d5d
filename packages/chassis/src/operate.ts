/**
 * What an operator does to a service from a shell beside it, with the service's own settings: `node dist/src/operate.js republish
 * --since 2026-04-01T00:00:00Z`. Exit codes: 0 done, 1 failed, 2 asked wrongly.
 */
import { parseArgs } from 'node:util';
import type { StatefulService } from '@settler/contracts/services';
import { z } from 'zod';
import { ConfigurationError, databaseSettings, encryptionKeys, loadConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { type Operation, type Options, UsageError } from './operation.ts';
import { operations } from './operations.ts';
import { openServiceDatabase } from './service-database.ts';
import type { ChassisTables } from './tables.ts';

/** `own` are the commands that this service has beside those of every service. */
export const operate = async (service: StatefulService, own: readonly Operation[] = []): Promise<void> => {
  const known = [...operations, ...own];
  const asked = process.argv.slice(2);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    if (asked.length === 0 || asked.includes('--help')) return print(helpOf(service, known));
    const { operation, options } = readCommand(asked, known);
    const config = loadConfig(z.object(databaseSettings), { ...process.env, DB_POOL_MIN: '0' });
    const postgres = openServiceDatabase<ChassisTables>(service, config, createLogger(service, 'error'));
    try {
      const encryptionKeysOf = () => loadConfig(z.object({ ENCRYPTION_KEY: encryptionKeys }), process.env).ENCRYPTION_KEY;
      await operation.run({ postgres, print, encryptionKeys: encryptionKeysOf }, options);
    } finally {
      await postgres.close();
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error instanceof UsageError || error instanceof ConfigurationError ? 2 : 1;
  }
};

/** @throws UsageError where there is no such command, or what was asked is not what it takes */
export const readCommand = (asked: readonly string[], known: readonly Operation[]): { operation: Operation; options: Options } => {
  const firstOption = asked.findIndex((word) => word.startsWith('-'));
  const words = asked.slice(0, firstOption === -1 ? asked.length : firstOption);
  const operation = known.find(({ command, argument }) => command === (argument === undefined ? words : words.slice(0, -1)).join(' '));
  if (operation === undefined) {
    const unfinished = known.find(({ command }) => command === words.join(' '));
    if (unfinished !== undefined) throw new UsageError(`<${unfinished.argument}> is missing: ${usageOf(unfinished)}.`);
    throw new UsageError(`There is no command ${JSON.stringify(words.join(' '))}; --help lists those that are.`);
  }
  const options = Object.fromEntries(
    Object.entries(operation.options).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' } as const]),
  );
  try {
    const given = parseArgs({ args: asked.slice(words.length), options, strict: true }).values as Options;
    return { operation, options: operation.argument === undefined ? given : { ...given, [operation.argument]: words.at(-1) } };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

const helpOf = (service: StatefulService, known: readonly Operation[]): string =>
  [
    `What can be done to ${service} from here.`,
    ...known.flatMap((operation) => [
      '',
      `  ${usageOf(operation)}`,
      `      ${operation.does}`,
      ...Object.entries(operation.options).map(
        ([name, { means, value }]) => `      --${name}${value === undefined ? '' : ` ${value}`}: ${means}`,
      ),
    ]),
  ].join('\n');

const usageOf = ({ command, argument }: Operation): string => (argument === undefined ? command : `${command} <${argument}>`);
