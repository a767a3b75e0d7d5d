/** Roles, databases, tables, streams and consumers, before the services of a release start. */
import { provisionConfig } from './config.ts';
import { runOnce } from './program.ts';
import { provision } from './provision.ts';

await runOnce({ name: 'provision', config: provisionConfig, run: provision });
