/** What has to be true of every change before its tests are run: lint, types, boundaries, dead code. */
import { runCheck } from './check/run.ts';

process.exitCode = (await runCheck()) ? 0 : 1;
