/** Readers by adapter name, for the service that reads. */
import { adapters, type Reader } from './catalogue.ts';
import { ReaderFailure } from './reader.ts';

/**
 * A reader of one configuration. It is checked again here, since it came over the network and had secrets merged in;
 * where it does not hold, `ReaderFailure` with `invalid_config`.
 */
export const openReader = async (name: string, config: unknown): Promise<Reader> => {
  const adapter = adapters.find(({ definition }) => definition.name === name);
  if (adapter === undefined) throw new ReaderFailure('invalid_config', `there is no adapter called ${JSON.stringify(name.slice(0, 40))}`);
  const opened = await adapter.open(config);
  if ('read' in opened) return opened;
  const faults = opened.slice(0, 3).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  throw new ReaderFailure('invalid_config', `the configuration of the ${name} adapter does not hold: ${faults.join('; ')}`);
};
