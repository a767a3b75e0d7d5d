/** Everything that Settler is, on this machine, with one command. Ctrl-C ends all of it. */
import { resolve } from 'node:path';
import { root } from './check/command.ts';
import { openDataDirectory } from './supervisor/data-directory.ts';
import { help } from './supervisor/help.ts';
import { readyLine } from './supervisor/launch.ts';
import { readSettings } from './supervisor/settings.ts';
import { createSupervisor } from './supervisor/supervisor.ts';

const say = (text: string): void => console.log(text);

const main = async (): Promise<void> => {
  const settings = readSettings(process.env);
  const data = openDataDirectory(resolve(root, settings.SETTLER_DATA_DIR));
  const supervisor = createSupervisor(settings, data, say);

  let ending: Promise<never> | undefined;
  const end = async (code: number): Promise<never> => {
    await supervisor.stop();
    data.release();
    process.exit(code);
  };
  // Both npm and the terminal send the signal, so it often comes twice.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (ending === undefined) say('Stopping …');
      ending ??= end(0);
    });
  }
  const fail = (error: unknown): void => {
    // What fails because everything is being stopped is no news.
    if (ending !== undefined) return;
    console.error(describe('Settler could not go on', error));
    ending = end(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  try {
    say('Starting Settler: servers, databases and five services …');
    const url = await supervisor.start();
    say(`${readyLine} ${url}`);
    if (settings.SETTLER_DEMO !== '0') {
      const { runDemo } = await import('./demo/run.ts');
      // Its key may be revoked, its job archived, and runs of others may come before its own: none of that ends what is in use.
      await runDemo({ url, dataDir: data.path, print: say }).catch((error: unknown) => {
        if (ending === undefined) console.error(describe('The demo could not be shown, and Settler goes on without it', error));
      });
    }
  } catch (error) {
    fail(error);
  }
};

const describe = (what: string, error: unknown): string => {
  if (!(error instanceof Error)) return `${what}: ${error}`;
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) causes.push(`  because: ${cause.message}`);
  return [`${what}: ${error.message}`, ...causes].join('\n');
};

// A terminal or pipe that is gone must not keep us from stopping what we have started.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
const [argument] = process.argv.slice(2);
if (argument === '--help' || argument === '-h') say(help());
else if (argument !== undefined) {
  console.error(`npm start takes no arguments, and was given ${argument}. npm start -- --help tells the settings.`);
  process.exitCode = 2;
} else
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
