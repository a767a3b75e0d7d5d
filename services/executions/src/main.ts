import '@settler/chassis/telemetry';
import { setFlagsFromString } from 'node:v8';
import { run } from '@settler/chassis/lifecycle';
import { start } from './app.ts';
import { config } from './config.ts';

// The columns of a run, and its rows on their way, lie outside of the heap: see docs/decisions/0020.
setFlagsFromString('--external-memory-accounted-in-global-limit');

await run({ name: 'executions', config, start });
