/**
 * What an operator does to a service from a shell beside it, with the service's own settings: `node dist/src/operate.js republish
 * --since 2026-04-01T00:00:00Z`. Exit codes: 0 done, 1 failed, 2 asked wrongly.
 */
import { parseArgs } from 'node:util';
import type { StatefulService } from '@settler/contracts/services';
import type { z } from 'zod';
import { ConfigurationError, environmentOf, loadConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { type Operation, type Options, UsageError } from './operation.ts';
import { commonOperations } from './operations.ts';
import { createPostgres } from './postgres.ts';
import { databaseName, databaseRoles } from './provision.ts';
import type { ServiceConfig, ServiceShape } from './service.ts';
import type { ChassisTables } from './tables.ts';

export const operate = async <Shape extends ServiceShape>(
  service: StatefulService,
  schema: z.ZodObject<Shape>,
  own: readonly Operation<z.output<z.ZodObject<Shape>> & ServiceConfig>[] = [],
): Promise<void> => {
  const operations = [...commonOperations, ...own];
  const asked = process.argv.slice(2);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    if (asked.length === 0 || asked.includes('--help')) return print(helpOf(service, operations));
    const { operation, options } = read(asked, operations);
    const config = loadConfig(schema, environmentOf(service, process.env)) as z.output<z.ZodObject<Shape>> & ServiceConfig;
    const roles = databaseRoles(config.DB_NAME, service);
    const postgres = createPostgres<ChassisTables>({
      host: config.DB_HOST,
      port: config.DB_PORT,
      database: databaseName(config.DB_NAME, service),
      ssl: config.DB_SSL,
      app: { user: roles.app, password: config.DB_APP_PASSWORD },
      system: { user: roles.system, password: config.DB_SYSTEM_PASSWORD },
      poolMax: 2,
      poolMin: 0,
      logger: createLogger(service, 'error'),
    });
    try {
      await operation.run({ postgres, config, print }, options);
    } finally {
      await postgres.close();
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error instanceof UsageError || error instanceof ConfigurationError ? 2 : 1;
  }
};

type AnyOperation = Pick<Operation, 'command' | 'does' | 'options'>;

const read = <One extends AnyOperation>(asked: readonly string[], operations: readonly One[]): { operation: One; options: Options } => {
  const words = asked.slice(0, asked.findIndex((word) => word.startsWith('-')) >>> 0);
  const operation = operations.find(({ command }) => command === words.join(' '));
  if (operation === undefined) throw new UsageError(`There is no command ${JSON.stringify(words.join(' '))}; --help lists those that are.`);
  const options = Object.fromEntries(
    Object.entries(operation.options).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' } as const]),
  );
  try {
    return { operation, options: parseArgs({ args: asked.slice(words.length), options, strict: true }).values as Options };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

const helpOf = (service: StatefulService, operations: readonly AnyOperation[]): string =>
  [
    `What can be done to ${service} from here.`,
    ...operations.flatMap(({ command, does, options }) => [
      '',
      `  ${command}`,
      `      ${does}`,
      ...Object.entries(options).map(([name, { means, value }]) => `      --${name}${value === undefined ? '' : ` ${value}`}: ${means}`),
    ]),
  ].join('\n');
