/** What `npm start -- --help` prints. */
import { z } from 'zod';
import { onlyPassedOnNames, startSettings } from './settings.ts';

export const help = (): string => {
  const { properties = {} } = z.toJSONSchema(startSettings, { io: 'input', unrepresentable: 'any' });
  const rows = Object.entries(properties).map(([name, setting]) => {
    const { description = '', default: fallback } = setting as { readonly description?: string; readonly default?: unknown };
    return [name, fallback === undefined || fallback === '' ? description : `${description} Default: ${fallback}`] as const;
  });
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return [
    'Starts everything that Settler is on this machine; Ctrl-C ends all of it.',
    '',
    '  [SETTING=value …] npm start',
    '',
    'Settings come from the environment:',
    '',
    ...rows.map(([name, meaning]) => `  ${name.padEnd(width)}${meaning}`),
    '',
    'These are passed on to the services:',
    '',
    ...onlyPassedOnNames.map((name) => `  ${name}`),
    '',
    'docs/reference/configuration.md tells all of them.',
  ].join('\n');
};
