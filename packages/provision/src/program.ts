/** A program that does one thing and ends. Exit codes: 0 done, 1 failed, 2 told wrongly. */
import { ConfigurationError, loadConfig } from '@settler/chassis/config';
import { createLogger, type Logger } from '@settler/chassis/logger';
import type { z } from 'zod';

export interface OneShot<Shape extends z.ZodRawShape> {
  readonly name: string;
  readonly config: z.ZodObject<Shape>;
  readonly run: (config: z.output<z.ZodObject<Shape>>, logger: Logger) => Promise<void>;
}

export const runOnce = async <Shape extends z.ZodRawShape>({ name, config: schema, run }: OneShot<Shape>): Promise<void> => {
  try {
    const config = loadConfig(schema, process.env);
    const { LOG_LEVEL } = config as { LOG_LEVEL: string };
    const logger = createLogger(name, LOG_LEVEL);
    try {
      await run(config, logger);
    } catch (error) {
      logger.fatal({ err: error }, `${name} failed`);
      process.exitCode = 1;
    }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = 2;
  }
};
