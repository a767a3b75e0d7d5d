/** The programs that images run, and the settings that each of them knows. */
import { environmentOf, loadConfig } from '@settler/chassis/config';
import { services } from '@settler/contracts/services';
import type { z } from 'zod';
import { provisionConfig, waitConfig } from '../../../packages/provision/src/config.ts';
import { config as executions } from '../../../services/executions/src/config.ts';
import { config as gateway } from '../../../services/gateway/src/config.ts';
import { config as identity } from '../../../services/identity/src/config.ts';
import { config as jobs } from '../../../services/jobs/src/config.ts';
import { config as webhooks } from '../../../services/webhooks/src/config.ts';

const schemas = { gateway, identity, jobs, executions, webhooks, provision: provisionConfig, wait: waitConfig } as const;
export type Program = keyof typeof schemas;

export const imageNames = [...services, 'provision'] as const;

/** @throws ConfigurationError, as the program itself would, where something is missing or malformed. */
export const configure = (program: Program, environment: Readonly<Record<string, string>>): unknown =>
  loadConfig(schemas[program] as z.ZodObject, environmentOf(program, environment));

export const settingsOf = (program: Program): string[] => Object.keys(schemas[program].shape);

/** What the program would take no notice of, because it has no setting of that name. */
export const unknownTo = (program: Program, names: readonly string[]): string[] =>
  names.filter((name) => !(name in schemas[program].shape) && name !== `NATS_${program.toUpperCase()}_URL`);
