/**
 * Holds a service back until the tables of its release are there, so that a release may be applied as a whole: old processes
 * go on serving while `main` migrates, and new ones begin when it is done. Reads as the service itself, and needs no administrator.
 */
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@settler/chassis/logger';
import { tlsOptions } from '@settler/chassis/postgres';
import { databaseName, databaseRoles, missingMigrations } from '@settler/chassis/provision';
import { type WaitConfig, waitConfig } from './config.ts';
import { runOnce } from './program.ts';

const lookEveryMs = 1_000;
const connectTimeoutMs = 5_000;

const wait = async (config: WaitConfig, logger: Logger): Promise<void> => {
  const folder = resolve(join(config.MIGRATIONS_DIR, config.SERVICE, 'migrations'));
  const database = {
    host: config.DB_HOST,
    port: config.DB_PORT,
    database: databaseName(config.DB_NAME, config.SERVICE),
    user: databaseRoles(config.DB_NAME, config.SERVICE).system,
    password: config.DB_SYSTEM_PASSWORD,
    ssl: tlsOptions(config.DB_SSL),
    connectionTimeoutMillis: connectTimeoutMs,
  };
  const deadline = performance.now() + config.WAIT_MS;
  let said = '';
  for (;;) {
    const missing = await lookFor(database, folder);
    if (missing === '') return;
    if (performance.now() > deadline) throw new Error(`Waited ${config.WAIT_MS} ms in vain: ${missing}`);
    if (missing !== said) logger.info({ missing }, 'waiting for the database');
    said = missing;
    await delay(lookEveryMs);
  }
};

/** What is not there yet, in words; empty when all is. */
const lookFor = async (...[database, folder]: Parameters<typeof missingMigrations>): Promise<string> => {
  try {
    return (await missingMigrations(database, folder)).join(', ');
  } catch (error) {
    // A server that starts, a database or role that nobody has made: all of it is what is waited for.
    return error instanceof Error ? error.message : String(error);
  }
};

await runOnce({ name: 'wait', config: waitConfig, run: wait });
