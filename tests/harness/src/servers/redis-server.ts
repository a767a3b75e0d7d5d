/** The redis-server that tests may start: the one that `REDIS_SERVER` names, or that is on the path. Where there is none, the tests that need one are left out. */
import { spawnSync } from 'node:child_process';

const given = process.env['REDIS_SERVER'] ?? '';

export const redisProgram = given === '' ? 'redis-server' : given;

export const hasRedis = (): boolean => spawnSync(redisProgram, ['--version']).status === 0;
