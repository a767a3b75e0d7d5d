/**
 * The life of a process: configuration, ordered start, and on SIGTERM an ordered stop. What opens something registers how it
 * closes; closing runs in the opposite order, so that the server stops taking requests before what they need goes away.
 */
import { setFlagsFromString } from 'node:v8';
import type { z } from 'zod';
import { ConfigurationError, environmentOf, loadConfig } from './config.ts';
import { createLogger, type Logger } from './logger.ts';

export interface Life {
  readonly logger: Logger;
  readonly isStopping: () => boolean;
  /** Runs at the end, last registered first. */
  readonly onStop: (name: string, close: () => Promise<unknown> | unknown) => void;
  /** Ends the process: something was lost without which it would only pretend to work. */
  readonly fail: (error: Error) => void;
  readonly stop: () => Promise<void>;
}

export const createLife = (logger: Logger, onFailure: (error: Error) => void): Life => {
  const closers: { name: string; close: () => Promise<unknown> | unknown }[] = [];
  let stopping: Promise<void> | undefined;
  const closeAll = async () => {
    for (const { name, close } of closers.reverse()) {
      try {
        await close();
      } catch (error) {
        logger.warn({ err: error, part: name }, 'a part did not close cleanly');
      }
    }
  };
  return {
    logger,
    isStopping: () => stopping !== undefined,
    onStop: (name, close) => closers.push({ name, close }),
    fail: onFailure,
    stop: () => {
      stopping ??= closeAll();
      return stopping;
    },
  };
};

export interface Program<Shape extends z.ZodRawShape> {
  readonly name: string;
  readonly config: z.ZodObject<Shape>;
  /** Builds and starts everything; returns once the process serves. */
  readonly start: (config: z.output<z.ZodObject<Shape>>, life: Life) => Promise<unknown>;
}

/**
 * What a service makes while it is idle must not decide where V8 makes what its requests need: see docs/decisions/0017. To be called before
 * anything else.
 */
const makeObjectsYoung = (): void => setFlagsFromString('--no-allocation-site-pretenuring');

/** The main of every service. */
export const run = async <Shape extends z.ZodRawShape>({ name, config: schema, start }: Program<Shape>): Promise<void> => {
  makeObjectsYoung();
  const config = readConfig(schema, name);
  const { LOG_LEVEL, DRAIN_TIMEOUT_MS } = config as { LOG_LEVEL: string; DRAIN_TIMEOUT_MS: number };
  const logger = createLogger(name, LOG_LEVEL);
  const life = createLife(logger, (error) => {
    logger.fatal({ err: error }, 'the process cannot go on');
    process.exit(1);
  });
  const stop = (signal: string) => {
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error('stopping took too long');
      process.exit(1);
    }, DRAIN_TIMEOUT_MS).unref();
    void life.stop().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.on('unhandledRejection', (error) => life.fail(error instanceof Error ? error : new Error(String(error))));
  process.on('uncaughtException', life.fail);
  try {
    await start(config, life);
  } catch (error) {
    life.fail(error as Error);
  }
};

const readConfig = <Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, name: string) => {
  try {
    return loadConfig(schema, environmentOf(name, process.env));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(1);
  }
};
