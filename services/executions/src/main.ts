import '@settler/chassis/telemetry';
import { run } from '@settler/chassis/lifecycle';
import { start } from './app.ts';
import { config } from './config.ts';

await run({ name: 'executions', config, start });
